import { BatonError } from '@baton/protocol'
import { defaultPolicy, type PolicyCommand, readPolicy } from '../config/policy.ts'
import { readTextFile, writePrivateFile } from '../config/private-file.ts'

/**
 * Lets this machine's `command` runtime start one more program. Everything else in the policy stays as it is. Only the
 * command line and `baton dev` call it: a relay can never widen a policy.
 */
export async function addPolicyCommand(file: string, name: string, command: PolicyCommand): Promise<void> {
  const isThere = (await readTextFile(file)) !== null
  const policy = isThere ? await readPolicy(file) : ({ ok: true, value: defaultPolicy() } as const)
  if (!policy.ok)
    throw new BatonError(
      'bad_input',
      `The policy of this machine cannot be read: ${policy.problems.join('; ')}.`,
    )
  const commands = { ...policy.value.commands, [name]: command }
  await writePrivateFile(file, `${JSON.stringify({ ...policy.value, commands }, null, 2)}\n`)
}
