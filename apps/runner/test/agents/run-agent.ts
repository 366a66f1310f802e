import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PushedDelivery, RunEventBody } from '@baton/protocol'
import { newTestId } from '@baton/testkit'
import { driverFor } from '../../src/agents/driver-for.ts'
import type {
  PermissionAsk,
  Prepared,
  PrepareInput,
  ReadSteps,
  RunEnd,
  RunFacts,
  RunReader,
} from '../../src/agents/runtime.ts'

export type TestPlace = AsyncDisposable & { cwd: string; tmpDir: string; eventFile: string; home: string }

/** A workspace, a home and a folder for temporary files that do not outlive the test. */
export async function makePlaces(body = '{"hello":"world"}'): Promise<TestPlace> {
  const root = await mkdtemp(join(tmpdir(), 'baton-agents-'))
  const place = {
    cwd: join(root, 'work'),
    tmpDir: join(root, 'tmp'),
    home: join(root, 'home'),
    eventFile: join(root, 'event'),
  }
  await Promise.all([place.cwd, place.tmpDir, place.home].map((folder) => mkdir(folder)))
  await writeFile(place.eventFile, body)
  return { ...place, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 3 }) }
}

export function newDelivery(
  agent: Partial<PushedDelivery['agent']>,
  prompt: string,
  sessionId: string | null = null,
): PushedDelivery {
  return {
    deliveryId: newTestId('delivery'),
    runId: newTestId('run'),
    fence: 1,
    attempt: 2,
    agent: {
      id: newTestId('agent'),
      key: 'tester',
      runtime: 'command',
      command: null,
      instructions: '',
      model: null,
      permissionMode: 'edit',
      isolation: { kind: 'host' },
      approvals: { mode: 'deny', expiresMs: 60_000, allow: [] },
      secretNames: [],
      skills: [],
      ...agent,
    },
    trust: 'member',
    publicRights: null,
    budget: { runUsd: null, runTokens: null, dayUsd: null, dayTokens: null },
    workspace: { path: null, scratch: false, worktree: null },
    prompt,
    job: { id: newTestId('job'), key: 'nightly' },
    event: { id: newTestId('event'), source: 'webhook', contentType: null, body: null },
    limits: { silenceMs: null, wallMs: null, maxAttempts: 1, repeatable: false },
    sessionId,
    sessionCwd: null,
    nudge: false,
    conversation: null,
  }
}

export async function prepare(input: PrepareInput): Promise<Prepared> {
  const prepared = await driverFor(input.delivery.agent.runtime)?.prepare(input)
  if (prepared === undefined || 'refused' in prepared) throw new Error(`Refused: ${JSON.stringify(prepared)}`)
  return prepared
}

export type RanAgent = {
  events: RunEventBody[]
  end: RunEnd
  exitCode: number | null
  closedStdin: boolean
  /** All that it printed, and all that was written to it. */
  stdout: Buffer
  stdin: string
}
/** What a test does while the agent runs: `tell` carries out what the reader wants. */
export type Watch = {
  onAsk?(ask: PermissionAsk, reader: RunReader, tell: (steps: ReadSteps | undefined) => void): void
  onEvent?(event: RunEventBody, reader: RunReader, tell: (steps: ReadSteps | undefined) => void): void
}

/**
 * Runs an agent as a runner does, but without custody: what it prints goes through its reader, and what the reader asks
 * for is done.
 */
export async function runAgent(
  input: PrepareInput,
  facts: RunFacts = { stopReason: null, changedFiles: null },
  watch: Watch = {},
): Promise<RanAgent> {
  const driver = driverFor(input.delivery.agent.runtime)
  if (driver === null) throw new Error('There is no driver.')
  const { command } = await prepare(input)
  const reader = driver.createReader({ delivery: input.delivery, policy: input.policy, cwd: input.cwd })
  const child = spawn(command.file, command.args, { cwd: input.cwd, env: command.env, stdio: 'pipe' })
  let stdin = command.stdin
  child.stdin.on('error', () => {})
  child.stdin.write(command.stdin)
  if (!command.keepStdinOpen) child.stdin.end()
  const events: RunEventBody[] = []
  const stdout: Buffer[] = []
  let closedStdin = false
  let ending: NodeJS.Timeout | undefined
  const tell = (steps: ReadSteps | undefined) => {
    if (steps === undefined) return
    events.push(...steps.events)
    stdin += steps.stdin ?? ''
    if (steps.stdin !== undefined) child.stdin.write(steps.stdin)
    if (steps.closeStdin) {
      closedStdin = true
      child.stdin.end()
    }
    if (steps.ended) ending = setTimeout(() => child.kill('SIGKILL'), 500)
    for (const event of steps.events) watch.onEvent?.(event, reader, tell)
    for (const ask of steps.asks ?? []) watch.onAsk?.(ask, reader, tell)
  }
  let quiet: NodeJS.Timeout | undefined
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (bytes: Buffer) => {
      if (stream === 'stdout') stdout.push(bytes)
      tell(reader.read({ stream, bytes, atMs: Date.now() }))
      clearTimeout(quiet)
      quiet = setTimeout(() => tell(reader.flush()), 100)
    })
  }
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(ending)
  clearTimeout(quiet)
  const { events: last, end } = reader.end({ exitCode, signal, error: null, message: null }, facts)
  return { events: [...events, ...last], end, exitCode, closedStdin, stdout: Buffer.concat(stdout), stdin }
}
