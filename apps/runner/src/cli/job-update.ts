import { BatonError } from '@baton/protocol'
import { printable } from './printable.ts'
import { readInput } from './read-payload.ts'
import { type RuleOptions, readRules } from './rule-options.ts'
import type { Session } from './session.ts'

type Options = {
  name?: string
  agent?: string
  prompt?: string
  promptFile?: string
  cwd?: string
} & RuleOptions

/** Changes what was given and leaves the rest; what is queued already keeps what it was made with. */
export async function updateJob(session: Session, [id = '']: string[], options: Options): Promise<void> {
  const { name, agent, cwd } = options
  const prompt = options.promptFile ? await readInput('--prompt-file', options.promptFile) : options.prompt
  const rules = readRules(options)
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(agent === undefined ? {} : { agent }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(cwd === undefined ? {} : { workspace: cwd === 'none' ? null : cwd }),
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
  }
  if (Object.keys(changes).length === 0)
    throw new BatonError('bad_input', 'Say what to change; "baton job update --help" shows what there is.')
  const baton = await session.baton()
  const job = await baton.jobs.update(id, changes)
  session.print(job, () => `${printable(job.key)} is changed; what fires it next has it.`)
}
