import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { readJson, runFiles, type SupervisorRecord, storedOutput } from '../../src/processes/run-files.ts'
import { readySupervisor } from '../../src/processes/start-supervised.ts'
import type { SupervisedRun } from '../../src/processes/supervised-run.ts'
import { createRunPlace, fixture, processesWith, readAll, untilOutput, within } from './kit.ts'

const MIB = 1024 * 1024
const LIMIT = 64 * MIB

function supervisorPid(folder: string): number {
  return (readJson<SupervisorRecord>(runFiles(folder).supervisor) as SupervisorRecord).supervisor.pid
}

/** The most memory that a process ever had, in bytes; 0 when it ended. */
function peakMemory(pid: number): number {
  if (!existsSync(`/proc/${pid}/status`)) return 0
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}

/** Reads and consumes everything; answers how many bytes came. */
async function drain(run: SupervisedRun, onChunk: () => void = () => {}): Promise<number> {
  const at = { stdout: 0, stderr: 0 }
  for await (const { stream, offset, bytes } of run.output({ ...at }, new AbortController().signal)) {
    at[stream] = offset + bytes.length
    await run.consumed({ ...at })
    onChunk()
  }
  return at.stdout + at.stderr
}

test('one line of 256 MiB costs the supervisor less than 32 MiB and comes through whole', async () => {
  await using place = createRunPlace()
  const command = `read go; head -c ${256 * MIB} /dev/zero | tr '\\0' x`
  const { run, folder } = await place.start(place.spec('sh', ['-c', command], { keepStdinOpen: true }))
  const pid = supervisorPid(folder)
  const before = peakMemory(pid)
  let peak = before
  const startedAt = performance.now()
  await run.write('go\n')
  const bytes = await drain(run, () => {
    peak = Math.max(peak, peakMemory(pid))
  })
  const seconds = (performance.now() - startedAt) / 1000
  expect(bytes).toBe(256 * MIB)
  console.info(`${Math.round(256 / seconds)} MiB/s, supervisor +${Math.round((peak - before) / MIB)} MiB`)
  expect(peak - before).toBeLessThan(32 * MIB)
  expect(await run.exited).toMatchObject({ exitCode: 0, outputBytes: { stdout: 256 * MIB } })
}, 60_000)

test('an agent whose output nobody consumes waits, and goes on when it is consumed', async () => {
  await using place = createRunPlace()
  const command = `head -c ${160 * MIB} /dev/zero; echo done >&2`
  const { run, folder } = await place.start(place.spec('sh', ['-c', command]))
  await eventually(() => expect(storedOutput(folder).stdout).toBeGreaterThan(LIMIT))
  await expectStandstill(folder)
  expect(storedOutput(folder).stdout).toBeLessThan(LIMIT + MIB)

  expect(await drain(run)).toBe(160 * MIB + 5)
  expect(await run.exited).toMatchObject({ exitCode: 0 })
  // What was consumed is gone from the disk while the run went on.
  const segments = readdirSync(folder).filter((name) => name.startsWith('stdout.'))
  expect(segments.length).toBeLessThan(40)
  const { stdout } = await readAll(run)
  expect(stdout.length).toBeLessThan(160 * MIB)
}, 60_000)

test('without the limit, the mutant, the output of a run fills the disk', async () => {
  await using place = createRunPlace()
  const spec = place.spec('sh', ['-c', `head -c ${96 * MIB} /dev/zero`])
  const { run, folder } = await place.start(spec, place.supervisorWith('no-limit'))
  await run.exited
  expect(storedOutput(folder).stdout).toBe(96 * MIB)
}, 60_000)

/** The agent can be stopped while it waits for its output to be consumed. */
test('a waiting agent can be stopped', async () => {
  await using place = createRunPlace()
  const { run, folder } = await place.start(place.spec('sh', ['-c', 'exec cat /dev/zero']))
  await eventually(() => expect(storedOutput(folder).stdout).toBeGreaterThan(LIMIT))
  await run.stop('cancelled', 1_000)
  expect(await within(5_000, run.exited)).toMatchObject({ signal: 'SIGTERM', killProof: { survivors: 0 } })
}, 60_000)

async function expectStandstill(folder: string): Promise<void> {
  let last = -1
  await eventually(
    () => {
      const now = storedOutput(folder).stdout
      const stands = now === last
      last = now
      expect(stands).toBe(true)
    },
    { everyMs: 300 },
  )
}

test('an agent that no runner comes back for is ended', async () => {
  await using place = createRunPlace()
  const token = place.sleep()
  const spec = place.spec('sleep', [token], { abandonAfterMs: 300 })
  const { run } = await place.start(spec)
  const exit = await within(5_000, run.exited)
  expect(exit).toMatchObject({ stopReason: 'abandoned', error: 'killed', killProof: { survivors: 0 } })
  expect(processesWith(token)).toEqual([])
})

test('an agent whose folder is removed is ended, and its supervisor with it', async () => {
  await using place = createRunPlace()
  const token = place.sleep()
  const { run, folder } = await place.start(place.spec('sh', [fixture('hide.sh'), 'setsid', 'stay', token]))
  await untilOutput(run, 1)
  rmSync(folder, { recursive: true })
  await eventually(() => expect([...processesWith(token), ...processesWith(folder)]).toEqual([]))
})

test('signals to the supervisor change nothing', async () => {
  await using place = createRunPlace()
  const { run, folder } = await place.start(place.spec('cat', [], { keepStdinOpen: true }))
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.kill(supervisorPid(folder), name)
  await run.write('still here\n')
  await run.closeStdin()
  expect((await readAll(run)).stdout.toString()).toBe('still here\n')
  expect(await run.exited).toMatchObject({ exitCode: 0, stopReason: null })
})

test('an agent that closes its output early and runs on keeps its exit code', async () => {
  await using place = createRunPlace()
  const { run } = await place.start(place.spec('sh', ['-c', 'echo out; exec >&- 2>&-; sleep 0.3; exit 9']))
  expect((await readAll(run)).stdout.toString()).toBe('out\n')
  expect(await run.exited).toMatchObject({ exitCode: 9 })
})

test('an agent can open its output by name, as shell scripts do', async () => {
  await using place = createRunPlace()
  const { run } = await place.start(place.spec('sh', ['-c', 'echo a | tee /dev/stderr']))
  const { stdout, stderr } = await readAll(run)
  expect([stdout.toString(), stderr.toString()]).toEqual(['a\n', 'a\n'])
})

test('a supervisor that is let go before its start leaves nothing running', async () => {
  await using place = createRunPlace()
  const { runId, folder } = place.newRun()
  const supervisor = await readySupervisor(folder, runId)
  supervisor.dismiss()
  await eventually(() => expect(processesWith(folder)).toEqual([]))
  expect(readFileSync(runFiles(folder).log, 'utf8')).toBe('')
})

test.for([
  ['a missing program', 'no-such-program', null, 'agent_missing'],
  ['a file that may not be executed', '/etc/passwd', null, 'agent_missing'],
  ['a missing folder', 'true', '/no/such/folder', 'workspace'],
  ['a folder that is a file', 'true', '/etc/passwd', 'workspace'],
] as const)('%s is refused with its reason', async ([, file, cwd, refused]) => {
  await using place = createRunPlace()
  const { runId, folder } = place.newRun()
  const spec = place.spec(file, [], cwd ? { cwd } : {})
  const supervisor = await readySupervisor(folder, runId)
  const started = await supervisor.start(spec)
  expect(started).toEqual({ refused, message: expect.stringContaining(cwd ?? file) })
})

test('the prompt and the environment are in no file and on no argument list', async () => {
  await using place = createRunPlace()
  const secret = `canary-${Math.random()}`
  const env = { PATH: process.env.PATH ?? '', KEY: secret }
  const spec = place.spec('sh', ['-c', 'cat > /dev/null; sleep 30'], { env, stdin: secret })
  const { run, folder } = await place.start(spec)
  expect(processesWith(secret)).toEqual([])
  const written = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  expect(written.join().includes(secret)).toBe(false)
  await run.stop('test', 0)
  await run.exited
})

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0
test.skipIf(!canMount)('a full disk ends the agent with its reason and keeps what fitted', async () => {
  await using place = createRunPlace()
  const disk = join(place.root, 'disk')
  const script = `mkdir ${disk} && mount -t tmpfs -o size=4m tmpfs ${disk} && exec "$0" "$1" "$2"`
  const answer = execFileSync(
    'unshare',
    ['-m', 'sh', '-c', script, process.execPath, fixture('fill-disk.ts'), disk],
    { encoding: 'utf8' },
  )
  const { exit, readable, outboxLeft } = JSON.parse(answer)
  expect(exit).toMatchObject({ error: 'disk_full', stopReason: 'disk_full', killProof: { survivors: 0 } })
  expect(readable).toBe(exit.outputBytes.stdout)
  expect(readable).toBeGreaterThan(MIB)
  expect(outboxLeft).toBe('written')
})
