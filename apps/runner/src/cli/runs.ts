import { text as readAll } from 'node:stream/consumers'
import { BatonError, type RunSummary, STATUS_SHAPES, type StatusWord } from '@baton/protocol'
import { confirm } from './confirm.ts'
import type { Session } from './session.ts'
import { resultLine, runTable, runText } from './show-run.ts'
import { shortId } from './text.ts'
import { waitForEnd } from './wait-for-end.ts'

type ListOptions = { status?: string; agent?: string; job?: string; machine?: string; limit: string }

export async function listRuns(session: Session, _args: string[], options: ListOptions): Promise<void> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw new BatonError('bad_input', `--limit ${options.limit}: give a number, 1 or more.`)
  const status = readStatus(options.status)
  const baton = await session.baton()
  const filter = {
    ...(status ? { status } : {}),
    ...(options.agent ? { agentId: (await baton.agents.get(options.agent)).id } : {}),
    ...(options.job ? { jobId: (await baton.jobs.get(options.job)).id } : {}),
    ...(options.machine ? { machineId: (await baton.machines.get(options.machine)).id } : {}),
  }
  const items: RunSummary[] = []
  for await (const run of baton.runs.list({ ...filter, pageSize: Math.min(limit, 200) })) {
    items.push(run)
    if (items.length === limit) break
  }
  session.print({ items }, () => runTable(items, session.out))
  if (items.length === 0) session.note('No runs. Start one: baton run "…" --agent auto')
}

export async function showRun(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const { url } = baton.runs.open(run.id)
  session.print({ ...run, url }, () => runText(run, url, session.out))
}

export async function cancelRun(
  session: Session,
  [id = '']: string[],
  { reason }: { reason?: string },
): Promise<void> {
  const baton = await session.baton()
  const { id: runId } = await baton.runs.get(id)
  const run = baton.runs.open(runId)
  await run.cancel(reason)
  const ended = await waitForEnd(run)
  session.print({ ...ended, url: run.url }, () => resultLine(ended, session.out))
}

export async function runAgain(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const { id: runId } = await baton.runs.get(id)
  const run = await baton.runs.again(runId)
  session.print({ runId: run.id, url: run.url }, () => run.id)
  session.note(`${run.url}\nFollow it with: baton logs ${shortId(run.id)} -f`)
}

export async function moveRun(
  session: Session,
  [id = '']: string[],
  options: { agent?: string; cwd?: string },
): Promise<void> {
  if (!options.agent)
    throw new BatonError('bad_input', 'Say who takes it: --agent <key>. "baton agent list" shows them.')
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const agent = await baton.agents.get(options.agent)
  const question = `${run.agent.name} on ${run.machine.name} may still be working on it. Start it anew with ${agent.key} on ${agent.machine.name}?`
  await confirm(session, question)
  const to = { agent: agent.id, ...(options.cwd ? { workspace: options.cwd } : {}) }
  const moved = await baton.runs.move(run.id, to)
  session.print(moved, () => `${moved.id} now waits for ${agent.key} on ${agent.machine.name}.`)
}

export async function giveUpRun(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  await confirm(session, `Stop waiting for ${run.machine.name}? What it reports later changes nothing.`)
  const given = await baton.runs.giveUp(run.id)
  session.print(given, () => given.sentence)
}

export async function steerRun(session: Session, [id = '', text = '']: string[]): Promise<void> {
  const message = text === '-' ? await readAll(process.stdin) : text
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const told = await baton.runs.open(run.id).steer(message)
  session.print(told, () => `Said to ${run.agent.key}. The run's log shows when it is taken up.`)
}

export async function interruptRun(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const told = await baton.runs.open(run.id).interrupt()
  session.print(
    told,
    () => `${run.agent.key} is told to leave what it does; a message that waits for it is still heard.`,
  )
}

function readStatus(given: string | undefined): StatusWord[] | undefined {
  if (given === undefined) return undefined
  const words = given.split(',').map((word) => word.trim())
  const known = Object.keys(STATUS_SHAPES)
  const wrong = words.filter((word) => !known.includes(word))
  if (wrong.length > 0)
    throw new BatonError('bad_input', `--status ${wrong.join(',')}: choose from ${known.join(', ')}.`)
  return words as StatusWord[]
}
