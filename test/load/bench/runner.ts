import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BenchMachine, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { residentKb } from '../support/cpu-of.ts'
import { type Figure, figure } from '../support/report.ts'

const RUNNER = fileURLToPath(new URL('../../../apps/runner/', import.meta.url))
const BUNDLE = path.join(RUNNER, 'dist/baton.mjs')
const IDLE_MS = 3_000

type Started = { startMs: number; idleMb: number }

/** The runner as people get it: the bundle. It is built here, so that it is the one of this source. */
export async function benchRunner(context: BenchContext): Promise<Figure[]> {
  await run([path.join(RUNNER, 'build.ts')])
  await using relay = await startBenchRelay(context)
  const versions: number[] = []
  for (let turn = 0; turn < 5 * context.rounds; turn++) versions.push(await run([BUNDLE, '--version']))
  const empty: number[] = []
  for (let turn = 0; turn < 5 * context.rounds; turn++) empty.push(await run(['--eval', '0']))
  const started: Started[] = []
  for (let round = 0; round < context.rounds; round++) {
    const [machine] = await relay.addMachines(1)
    if (machine) started.push(await startOnce(relay.relay.url, machine))
  }
  return [
    figure('runner', 'baton --version', 'ms', versions, { atMost: 60 }),
    figure('runner', 'an empty Node program', 'ms', empty),
    figure(
      'runner',
      'start until connected',
      'ms',
      started.map((one) => one.startMs),
    ),
    figure(
      'runner',
      'idle memory',
      'MB',
      started.map((one) => one.idleMb),
      { atMost: 80 },
    ),
  ]
}

async function run(args: string[]): Promise<number> {
  const startedAt = performance.now()
  await promisify(execFile)(process.execPath, args, { cwd: RUNNER })
  return performance.now() - startedAt
}

async function startOnce(url: string, machine: BenchMachine): Promise<Started> {
  const home = mkdtempSync(path.join(tmpdir(), 'baton-bench-'))
  const profiles = path.join(home, 'config/profiles')
  mkdirSync(profiles, { recursive: true, mode: 0o700 })
  const policy = {
    folders: [home],
    commands: {},
    runtimes: ['command'],
    permissionModes: ['edit'],
    environment: [],
    maxWallMs: null,
  }
  const profile = { url, machineId: machine.id, machineName: machine.agentKey }
  writeFileSync(path.join(profiles, 'default.json'), JSON.stringify(profile), { mode: 0o600 })
  writeFileSync(path.join(profiles, 'default.key'), machine.key, { mode: 0o600 })
  writeFileSync(path.join(profiles, 'default.policy.json'), JSON.stringify(policy), {
    mode: 0o600,
  })
  const startedAt = performance.now()
  const child = spawn(process.execPath, [BUNDLE, 'up', '--foreground'], {
    env: { PATH: process.env.PATH, HOME: home, BATON_HOME: home, BATON_EXIT_WITH_PARENT: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  try {
    const ready = once(createInterface(child.stdout), 'line')
    const early = exited.then(([code]) => Promise.reject(new Error(`The runner ended with ${code}.`)))
    early.catch(() => {})
    await Promise.race([ready, early])
    const startMs = performance.now() - startedAt
    await wait(IDLE_MS)
    return { startMs, idleMb: residentKb(child.pid ?? 0) / 1024 }
  } finally {
    child.kill('SIGTERM')
    await exited
    rmSync(home, { recursive: true, force: true })
  }
}
