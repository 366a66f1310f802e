import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import {
  BatonError,
  isWorktreeWorkspace,
  type RunView,
  STATUS_EXIT_CODES,
  type StatusWord,
} from '@baton/protocol'
import type { Baton, Run } from '@baton/sdk'
import { isFolderAllowed, readPolicy } from '../config/policy.ts'
import { readProfile } from '../config/profile.ts'
import { createApprovalPrompts } from './approval-prompt.ts'
import { endText, sumLine } from './diff.ts'
import { onInterrupt } from './on-interrupt.ts'
import { readSeconds } from './read-seconds.ts'
import { readRules } from './rule-options.ts'
import { sayWhyItWaits } from './say-why-it-waits.ts'
import type { Session } from './session.ts'
import { createEventWriter } from './show-event.ts'
import { resultLine } from './show-run.ts'
import { shortId } from './text.ts'
import { waitForEnd } from './wait-for-end.ts'

type Options = {
  agent: string
  cwd?: string
  /** `true` when no ref is given. */
  worktree?: string | true
  timeout?: string
  priority?: string
  detach?: boolean
  conversation?: string
  continue?: string
}

/** `baton run`: starts a run, shows it, and ends as it ended. Ctrl-C ends the run; a second one leaves it alone. */
export async function startRun(session: Session, [given = '']: string[], options: Options): Promise<number> {
  const prompt = given === '-' ? await readAll(process.stdin) : given
  if (prompt.trim() === '')
    throw new BatonError('bad_input', 'The prompt is empty. Say what the agent shall do.')
  const wallMs = readSeconds(options.timeout)
  const baton = await session.baton()
  const workspace = await chooseWorkspace(session, baton, options)
  const run = await baton.runs.create({
    prompt,
    agent: options.agent,
    ...(options.conversation ? { conversation: options.conversation } : {}),
    ...(options.continue ? { continue: options.continue } : {}),
    ...(workspace ? { workspace } : {}),
    ...(wallMs === null ? {} : { limits: { wallMs } }),
    ...(options.priority === undefined ? {} : { rules: readRules({ priority: options.priority }) }),
  })
  if (options.detach) {
    session.print({ runId: run.id, url: run.url }, () => run.id)
    session.note(`${run.url}\nFollow it with: baton logs ${shortId(run.id)} -f`)
    return 0
  }
  const { agent, machine } = await run.get()
  const where = workspace ? ` · ${workspace}` : ''
  session.note(
    `${session.err('bold', shortId(run.id))} · ${agent.key} on ${machine.name}${where}  ${session.err('dim', run.url)}`,
  )
  return followToEnd(session, run)
}

const WAITING: readonly StatusWord[] = ['queued', 'waiting', 'asleep']

/** Shows a run until it has ended. With --json nothing is shown but the whole run at the end. */
export async function followToEnd(session: Session, run: Run): Promise<number> {
  let interrupted = false
  using _ = onInterrupt(() => {
    interrupted = true
    session.note('\nEnding the run … (press again to leave it running)')
    run.cancel('interrupted on the command line').catch((error: unknown) => session.note(String(error)))
  })
  const writer = createEventWriter(session.out)
  await using prompts = createApprovalPrompts(session, run)
  using waiting = sayWhyItWaits(session, run)
  for await (const event of run.events()) {
    waiting.heard()
    if (!session.json) session.write(writer.show(event))
    prompts.hear(event)
    if (event.type === 'approval_asked' && !session.canAsk)
      session.note(session.err('dim', '  Answer it: baton approval list'))
  }
  session.write(writer.end())
  // The report of the runner comes a moment after the last event; a run that never starts has none to wait for.
  const view = await waitForEnd(run)
  session.print({ ...view, url: run.url }, () => '')
  session.note(resultLine(view, session.err))
  if (WAITING.includes(view.status))
    session.note(
      session.err('dim', `Follow it: baton logs -f ${shortId(view.id)} · Why: baton why ${shortId(view.id)}`),
    )
  if (!session.json) await showChanges(session, view)
  return interrupted ? 130 : STATUS_EXIT_CODES[view.status]
}

/** The end of the run counts, so a relay that cannot be asked for the diff is said and changes no exit code. */
async function showChanges(session: Session, { id, changes }: RunView): Promise<void> {
  if (!changes || changes.filesChanged + changes.commits.length === 0) return
  try {
    const whole = await (await session.baton()).runs.changes(id)
    if (whole) session.note(endText(whole, id, session.err))
  } catch (error) {
    session.note(
      `${sumLine(changes, session.err)}  The diff could not be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/**
 * The folder given; else the present one, when the agent works on this very machine, has no folder of its own choice and
 * the machine's policy allows it.
 */
async function chooseWorkspace(
  session: Session,
  baton: Baton,
  { agent, cwd, worktree, continue: goesOn }: Options,
): Promise<string | undefined> {
  if (worktree !== undefined) return worktreeOf(cwd ?? '.', worktree)
  if (cwd !== undefined) return isWorktreeWorkspace(cwd) || cwd === 'scratch' ? cwd : resolve(cwd)
  // A conversation goes on where it began.
  if (goesOn !== undefined) return undefined
  const paths = await session.paths()
  const profile = await readProfile(paths)
  if (!profile.ok) return undefined
  const { machineId } = profile.value
  const candidates = agent === 'auto' ? await baton.agents.list() : [await baton.agents.get(agent)]
  if (candidates.length === 0) return undefined
  if (!candidates.every((one) => one.machine.id === machineId && one.workspace === null)) return undefined
  const here = process.cwd()
  const policy = await readPolicy(paths.policyFile)
  if (policy.ok && (await isFolderAllowed(policy.value, here, homedir()))) return here
  session.note(
    `${session.err('yellow', '!')} ${here} is in no folder that ${paths.policyFile} allows, so the agent works in one of its own. To work here, add it to "folders" there.`,
  )
  return undefined
}

/** A `#` in the folder's own name would be taken for the mark before the ref. */
function worktreeOf(folder: string, ref: string | true): string {
  return `worktree:${resolve(folder).replaceAll('#', '%23')}${ref === true ? '' : `#${ref}`}`
}
