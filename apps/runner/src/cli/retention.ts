import { BatonError } from '@baton/protocol'
import type { Session } from './session.ts'

type Options = { job?: string; runs?: string; days?: string }

/** Shows how long finished work is kept, or changes it: of the organization, or of one job. */
export async function showRetention(session: Session, _args: string[], options: Options): Promise<void> {
  const baton = await session.baton()
  const organization = await baton.organization.get()
  if (options.job === undefined) {
    const retention = { ...read('runs', options.runs, false), ...read('days', options.days, false) }
    const isChange = Object.keys(retention).length > 0
    const after = isChange ? await baton.organization.update({ retention }) : organization
    return session.print(after.retention, () => sentence('Each job', after.retention))
  }
  const retention = { ...read('runs', options.runs, true), ...read('days', options.days, true) }
  const isChange = Object.keys(retention).length > 0
  const job = isChange
    ? await baton.jobs.update(options.job, { retention })
    : await baton.jobs.get(options.job)
  const whole = {
    runs: job.retention.runs ?? organization.retention.runs,
    days: job.retention.days ?? organization.retention.days,
  }
  session.print({ ...whole, own: job.retention }, () => sentence(`Job ${job.key}`, whole))
}

const sentence = (what: string, { runs, days }: { runs: number; days: number }) =>
  `${what} keeps its newest ${runs} ${runs === 1 ? 'run' : 'runs'}, and none longer than ${days} ${days === 1 ? 'day' : 'days'} (and always 72 hours).`

function read<K extends 'runs' | 'days', D extends boolean>(
  name: K,
  given: string | undefined,
  mayBeDefault: D,
): { [key in K]?: D extends true ? number | null : number } {
  type Read = { [key in K]?: D extends true ? number | null : number }
  if (given === undefined) return {} as Read
  if (given === 'default' && mayBeDefault) return { [name]: null } as Read
  const value = Number(given)
  if (!Number.isInteger(value) || value < 1) {
    const choices = mayBeDefault ? 'a whole number, 1 or more, or "default"' : 'a whole number, 1 or more'
    throw new BatonError('bad_input', `--${name} ${given}: give ${choices}.`)
  }
  return { [name]: value } as Read
}
