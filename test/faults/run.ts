// `npm run test:faults [crash|storm|away|fuzz|suites]`: the large versions, with their tables. `SEED=<n>` plays a run again.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { startDurablePostgres } from '@baton/testkit'
import { runAway } from './away.ts'
import { showFindings } from './crash/check.ts'
import { runCrashLoop } from './crash-loop.ts'
import { fuzzIntake } from './intake-fuzz.ts'
import { runStorm } from './storm.ts'
import { printSeed, seed } from './support/seed.ts'

const [which = 'all'] = process.argv.slice(2)
const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise)
const failures: string[] = []
printSeed('faults')

if (which === 'all' || which === 'crash') await crash()
if (which === 'all' || which === 'storm') await storm()
if (which === 'all' || which === 'away') await away()
if (which === 'all' || which === 'fuzz') await fuzz()
if (which === 'all' || which === 'suites') await suites()

for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`)
process.exitCode = failures.length > 0 ? 1 : 0

async function crash() {
  const kills = number('KILLS', 200)
  const size = { deliveries: number('DELIVERIES', 10_000), kills, restarts: number('RESTARTS', 10) }
  const findings = await runCrashLoop({ ...size, overMs: kills * 250, drainMs: 120_000 })
  process.stdout.write(`crash loop\n${showFindings(findings)}\n`)
  for (const [name, times] of Object.entries(findings.zero))
    if (times > 0) failures.push(`crash loop: ${times} ${name}`)
  if (findings.executedTwice > size.deliveries * 0.03)
    failures.push(`crash loop: ${findings.executedTwice} executed twice`)
}

async function storm() {
  await using postgres = await startDurablePostgres()
  const findings = await runStorm(number('RUNNERS', 1_000), postgres.url)
  const lines = Object.entries(findings).map(([name, value]) => `  ${name.padEnd(18)} ${value}`)
  process.stdout.write(`reconnect storm\n${lines.join('\n')}\n`)
  if (findings.failed > 0 || findings.backMs > 30_000) failures.push('reconnect storm')
}

async function away() {
  await using postgres = await startDurablePostgres()
  const found = await runAway({ databaseUrl: postgres.url, restarts: number('RESTARTS', 50), long: true })
  const restartMs = Math.round(Math.max(...found.restartMs))
  const lines = [
    `work pushed again after a restart of its runner  ${restartMs} ms at most of ${found.restartMs.length}`,
    `work pushed to another machine after its died    ${((found.deadMs ?? 0) / 1_000).toFixed(1)} s`,
    `a relay that stood still longer than a lease     ${found.stopped?.state}: ${found.stopped?.result}`,
  ]
  process.stdout.write(`away\n${lines.map((line) => `  ${line}`).join('\n')}\n`)
  if (restartMs > 2_000) failures.push('away: a restarted runner waited longer than 2 s')
  if ((found.deadMs ?? Number.POSITIVE_INFINITY) > 32_000)
    failures.push('away: a dead machine held its work longer than 32 s')
  if (found.stopped?.settled !== 1 || found.stopped.state !== 'succeeded')
    failures.push('away: the end of a run was not accepted exactly once')
}

async function fuzz() {
  await using postgres = await startDurablePostgres()
  const found = await fuzzIntake({ requests: number('REQUESTS', 20_000), databaseUrl: postgres.url })
  const lines = Object.entries(found).map(([name, value]) => `  ${name.padEnd(18)} ${JSON.stringify(value)}`)
  process.stdout.write(`intake fuzz\n${lines.join('\n')}\n`)
  failures.push(...found.wrong.slice(0, 10).map((one) => `intake fuzz: ${one}`))
}

/** The suites of `npm test`, with more runs, all mutants and longer faults. */
async function suites() {
  const root = path.resolve(import.meta.dirname, '../..')
  const env = {
    ...process.env,
    FAULTS: 'large',
    SEED: String(seed),
    MODEL_RUNS: process.env.MODEL_RUNS ?? '5000',
  }
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', 'test/faults', '--testTimeout', '900000'], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) failures.push('suites')
}
