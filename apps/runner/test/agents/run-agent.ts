import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PushedDelivery, RunEventBody } from '@baton/protocol'
import { newTestId } from '@baton/testkit'
import { driverFor } from '../../src/agents/driver-for.ts'
import type { Prepared, PrepareInput, RunEnd, RunFacts } from '../../src/agents/runtime.ts'

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
      ...agent,
    },
    trust: 'member',
    budget: { runUsd: null, runTokens: null, dayUsd: null, dayTokens: null },
    workspace: { path: null, scratch: false, worktree: null },
    prompt,
    job: { id: newTestId('job'), key: 'nightly' },
    event: { id: newTestId('event'), source: 'webhook', contentType: null, body: null },
    limits: { silenceMs: null, wallMs: null, maxAttempts: 1, repeatable: false },
    sessionId,
    nudge: false,
    conversation: null,
  }
}

export async function prepare(input: PrepareInput): Promise<Prepared> {
  const prepared = await driverFor(input.delivery.agent.runtime)?.prepare(input)
  if (prepared === undefined || 'refused' in prepared) throw new Error(`Refused: ${JSON.stringify(prepared)}`)
  return prepared
}

export type RanAgent = { events: RunEventBody[]; end: RunEnd; exitCode: number | null; closedStdin: boolean }

/**
 * Runs an agent as a runner does, but without custody: what it prints goes through its reader, and what the reader asks
 * for is done.
 */
export async function runAgent(
  input: PrepareInput,
  facts: RunFacts = { stopReason: null, changedFiles: null },
): Promise<RanAgent> {
  const driver = driverFor(input.delivery.agent.runtime)
  if (driver === null) throw new Error('There is no driver.')
  const { command } = await prepare(input)
  const run = { delivery: input.delivery, policy: input.policy }
  const reader = driver.createReader(run)
  const child = spawn(command.file, command.args, { cwd: input.cwd, env: command.env, stdio: 'pipe' })
  child.stdin.on('error', () => {})
  child.stdin.write(command.stdin)
  if (!command.keepStdinOpen) child.stdin.end()
  const events: RunEventBody[] = []
  let closedStdin = false
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (bytes: Buffer) => {
      const steps = reader.read({ stream, bytes, atMs: Date.now() })
      events.push(...steps.events)
      if (steps.stdin !== undefined) child.stdin.write(steps.stdin)
      if (steps.closeStdin) {
        closedStdin = true
        child.stdin.end()
      }
    })
  }
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null]
  const { events: last, end } = reader.end({ exitCode, signal, error: null, message: null }, facts)
  return { events: [...events, ...last], end, exitCode, closedStdin }
}
