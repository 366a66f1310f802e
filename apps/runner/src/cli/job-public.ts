import { BatonError, type JobView, PERMISSION_MODES, TRUST_LEVELS } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

type Options = { trust?: string; mode?: string }

/** What a job asks for runs that came from outside. Each machine's own policy file has to agree. */
export async function jobPublic(session: Session, [id = '']: string[], options: Options): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const rules = {
    ...(options.trust === undefined ? {} : { trust: choose('--trust', options.trust, TRUST_LEVELS) }),
    ...(options.mode === undefined ? {} : { publicMode: choose('--mode', options.mode, PERMISSION_MODES) }),
  }
  const after = Object.keys(rules).length > 0 ? await baton.jobs.update(job.id, { rules }) : job
  const { trust, publicMode } = after.rules
  session.print({ trust: trust ?? 'public', mode: publicMode ?? 'read_only' }, () => sentence(after))
  session.note(
    'It counts only where the policy file of the machine agrees: "public" there, with trustedJobs or permissionModes.',
  )
}

function sentence({ key, rules }: JobView): string {
  if (rules.trust === 'member')
    return `Job ${printable(key)} asks to treat what comes from outside like a member's work.`
  const mode = (rules.publicMode ?? 'read_only').replace('_', ' ')
  return `Runs of ${printable(key)} that come from outside may ${mode}, in a folder of their own, without secrets.`
}

function choose<T extends string>(flag: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given)
  if (found) return found
  throw new BatonError('bad_input', `${flag} ${given}: choose from ${known.join(', ')}.`)
}
