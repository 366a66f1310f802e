import { BatonError } from '@baton/protocol'
import { defaultPolicy, type Policy, readPolicy } from '../config/policy.ts'
import { readTextFile, writePrivateFile } from '../config/private-file.ts'

/**
 * Changes what this machine lets a relay ask for, from the default where there is no policy yet. Only the command line and
 * `baton dev` call it: a relay can never widen a policy. Nothing is written when nothing changes.
 */
export async function changePolicy(
  file: string,
  change: (policy: Policy, isNew: boolean) => Policy,
): Promise<void> {
  const isNew = (await readTextFile(file)) === null
  const read = isNew ? ({ ok: true, value: defaultPolicy() } as const) : await readPolicy(file)
  if (!read.ok) {
    throw new BatonError(
      'bad_input',
      `The policy of this machine cannot be read: ${read.problems.join('; ')}.`,
    )
  }
  const changed = change(read.value, isNew)
  if (!isNew && JSON.stringify(changed) === JSON.stringify(read.value)) return
  await writePrivateFile(file, `${JSON.stringify(changed, null, 2)}\n`)
}
