import { BatonError, type OverviewView, type RunSummary, type StatusWord } from '@baton/protocol'
import { BatonApiError } from '@baton/sdk'
import { type Profile, readProfile } from '../config/profile.ts'
import { findRunner } from '../config/runner-lock.ts'
import { findRelayUrl } from './connection.ts'
import { printable } from './printable.ts'
import { readRunnerStatus } from './runner-status.ts'
import type { Session } from './session.ts'
import { runTable } from './show-run.ts'
import { table } from './text.ts'

const AT_WORK: readonly StatusWord[] = ['starting', 'running']

type Problem = { what: string; unblock: string }
type Status = {
  problems: Problem[]
  relay: { url: string; reachable: boolean }
  machine: { name: string; profile: string; runner: { pid: number; sentence: string } | null } | null
  running: RunSummary[]
  waiting: RunSummary[]
  /** Questions of agents that nobody has answered. */
  openApprovals: number
  /** A draining machine is online, too. */
  machines: { online: number; draining: number; all: number }
}

/** `baton status`: problems first. 0 when there is none, else 1. */
export async function showStatus(session: Session): Promise<number> {
  const paths = await session.paths()
  const profile = await readProfile(paths)
  const pid = await findRunner(paths.lockFile)
  const said = pid === null ? null : await readRunnerStatus(paths)
  const url = await findRelayUrl(session.env, paths)
  const asked = await askRelay(session)
  const overview = 'overview' in asked ? asked.overview : null
  const here = profile.ok ? profile.value : null
  // A machine that was given a key and no token is whole: only people's commands need one.
  const isRunnerAlone = here !== null && hasNoToken(asked)
  const status: Status = {
    problems: [
      ...(isRunnerAlone ? [] : relayProblems(asked)),
      ...runnerProblems(here, pid, said?.connection),
      ...(overview ? overviewProblems(overview, here) : []),
    ],
    relay: { url, reachable: isRunnerAlone ? said?.connection.state === 'online' : isAnswered(asked) },
    machine: here && {
      name: here.machineName,
      profile: paths.profile,
      runner:
        pid === null
          ? null
          : { pid, sentence: said?.connection.sentence ?? 'It has not said how it is yet.' },
    },
    running: overview?.running.filter((run) => AT_WORK.includes(run.status)) ?? [],
    waiting: overview?.running.filter((run) => !AT_WORK.includes(run.status)) ?? [],
    openApprovals: overview?.openApprovals.length ?? 0,
    machines: {
      online:
        overview?.machines.filter(({ state }) => state === 'online' || state === 'draining').length ?? 0,
      draining: overview?.machines.filter(({ state }) => state === 'draining').length ?? 0,
      all: overview?.machines.length ?? 0,
    },
  }
  session.print(status, () => describe(status, session))
  if (isRunnerAlone)
    session.note(
      'This computer has no API token, so only its runner is looked at. Set BATON_TOKEN to see the rest.',
    )
  return status.problems.length === 0 ? 0 : 1
}

type Asked = { overview: OverviewView } | { error: BatonError }

async function askRelay(session: Session): Promise<Asked> {
  try {
    const baton = await session.baton()
    return { overview: await baton.overview() }
  } catch (error) {
    if (error instanceof BatonError) return { error }
    throw error
  }
}

/** Nobody was asked, as there is no token to ask with. */
function hasNoToken(asked: Asked): boolean {
  return 'error' in asked && asked.error.code === 'not_signed_in' && !(asked.error instanceof BatonApiError)
}

/** A relay answered, be it with a refusal. */
function isAnswered(asked: Asked): boolean {
  return 'overview' in asked || (asked.error instanceof BatonApiError && asked.error.requestId !== null)
}

function relayProblems(asked: Asked): Problem[] {
  if ('overview' in asked) return []
  const unblock =
    asked.error.code === 'unavailable'
      ? 'Start it ("baton dev" on one laptop), or set BATON_URL.'
      : 'Set BATON_TOKEN, or start "baton dev".'
  return [{ what: asked.error.message, unblock }]
}

function runnerProblems(
  here: Profile | null,
  pid: number | null,
  connection: { state: string; sentence: string } | undefined,
): Problem[] {
  if (!here)
    return [
      { what: 'This computer is no machine of a relay.', unblock: 'baton up --server <url> --key-stdin' },
    ]
  if (pid === null) return [{ what: 'The runner of this machine does not run.', unblock: 'baton up' }]
  if (connection && connection.state !== 'online')
    return [{ what: `The runner is not connected: ${connection.sentence}`, unblock: 'baton doctor' }]
  return []
}

function overviewProblems({ machines, agents }: OverviewView, here: Profile | null): Problem[] {
  const away = machines.filter(
    (one) => one.state === 'offline' && one.pending + one.live > 0 && one.id !== here?.machineId,
  )
  const drained = machines.filter((one) => one.state === 'draining' && one.pending > 0)
  const broken = agents.filter((one) => one.state === 'error')
  return [
    ...away.map((one) => ({
      what: `${printable(one.name)} is offline with work to do: ${one.cause ?? 'the cause is unknown'}`,
      unblock: `baton why ${printable(one.name)}`,
    })),
    ...drained.map((one) => ({
      what: `${printable(one.name)} is draining with work that waits for it.`,
      unblock: `baton machine resume ${printable(one.name)}`,
    })),
    ...broken.map((one) => ({
      what: `The agent ${printable(one.key)} cannot work: ${one.cause ?? 'the cause is unknown'}`,
      unblock: `baton why ${printable(one.key)}`,
    })),
  ]
}

function describe(status: Status, { out }: Session): string {
  const { problems, relay, machine, machines } = status
  const shown = problems.flatMap(({ what, unblock }) => [
    `${out('red', '✕')} ${what}`,
    `    ${out('dim', unblock)}`,
  ])
  const runner = machine?.runner
  const rows = [
    ['Relay', relay.url, relay.reachable ? out('green', 'reachable') : out('red', 'not reached')],
    [
      'Machine',
      machine ? printable(machine.name) : '–',
      runner ? `runner ${runner.pid}. ${printable(runner.sentence)}` : 'no runner',
    ],
  ]
  if (machines.all > 0)
    rows.push([
      'Fleet',
      `${machines.online} of ${machines.all} machines online${machines.draining > 0 ? `, ${machines.draining} draining` : ''}`,
      `${status.running.length} running, ${status.waiting.length} waiting`,
    ])
  if (status.openApprovals > 0)
    rows.push([
      'Asked',
      out(
        'yellow',
        `${status.openApprovals} ${status.openApprovals === 1 ? 'approval waits' : 'approvals wait'}`,
      ),
      'baton approval list',
    ])
  shown.push(...table(['', '', ''], rows, out).split('\n').slice(1))
  for (const runs of [status.running, status.waiting])
    if (runs.length > 0) shown.push('', runTable(runs, out))
  return shown.join('\n')
}
