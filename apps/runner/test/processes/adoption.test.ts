import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeRunEvent } from '@baton/protocol'
import { transcriptHash } from '@baton/protocol/transcript-hash'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { openOutbox } from '../../src/outbox/open-outbox.ts'
import { adoptSupervised } from '../../src/processes/adopt-supervised.ts'
import { isAlive } from '../../src/processes/process-table.ts'
import { readJson, runFiles, type SupervisorRecord, sizeOf } from '../../src/processes/run-files.ts'
import { startSupervised } from '../../src/processes/start-supervised.ts'
import { createRunPlace, fixture, processesWith, readAll, untilOutput, within } from './kit.ts'
import { startRunner } from './runner-process.ts'

const BYTES = 6_000_000

/** The bytes that fixtures/producer.ts writes to a stream: the same for the same seed. */
function expectedHash(seed: number, stream: string): string {
  const hash = createHash('sha256')
  let left = BYTES
  for (let block = 0; left > 0; block++) {
    const bytes = createHash('sha512').update(`${seed}/${stream}/${block}`).digest()
    hash.update(bytes.subarray(0, left))
    left -= bytes.length
  }
  return hash.digest('hex')
}

async function storedHash(folder: string, runId: string, stream: 'stdout' | 'stderr'): Promise<string> {
  const outbox = await openOutbox(folder, runId)
  const hash = createHash('sha256')
  const all: string[] = []
  while (all.length < outbox.lastSeq) all.push(...(await outbox.read(all.length + 1, 1_000_000)).texts)
  await outbox.close()
  expect(transcriptHash(runId, all)).toBe(outbox.hash)
  for (const [index, text] of all.entries()) {
    const event = decodeRunEvent(index + 1, text)
    if (event.type === 'output' && event.stream === stream) hash.update(event.base64 ?? '', 'base64')
  }
  return hash.digest('hex')
}

/** Runs the producer while its runner is killed at random moments; answers the hashes of what came into the outbox. */
async function produceUnderKills(place: ReturnType<typeof createRunPlace>, seed: number, mutant?: string) {
  const { runId, folder } = place.newRun()
  const random = pseudoRandom(seed)
  const start = place.spec(process.execPath, [fixture('producer.ts'), String(seed), String(BYTES)])
  let runner = startRunner({ folder, runId, spec: start })
  let kills = 0
  for (; kills < 8; kills++) {
    // Every second one is killed at any moment, also while it adopts; the others once they have stored something.
    if (kills % 2 === 0) await Promise.race([runner.exited, storedMore(folder)])
    const done = await Promise.race([runner.exited.then(() => true), sleep(random() * 150, false)])
    if (done) break
    await runner.kill()
    runner = startRunner({ folder, runId, ...(mutant ? { mutant } : {}) })
  }
  expect(await within(30_000, runner.exited)).toBe(0)
  expect(kills).toBeGreaterThan(1)
  return {
    stdout: await storedHash(folder, runId, 'stdout'),
    stderr: await storedHash(folder, runId, 'stderr'),
  }
}

/** Resolves when the outbox has grown from what it is now. */
async function storedMore(folder: string): Promise<void> {
  const file = join(folder, 'events.log')
  const before = sizeOf(file) ?? 0
  await eventually(() => expect(sizeOf(file)).toBeGreaterThan(before), { timeoutMs: 20_000 })
}

/** mulberry32: small, and the same on every machine. */
function pseudoRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))

test(`the output is byte-identical however often the runner is killed (SEED=${seed})`, async () => {
  await using place = createRunPlace()
  const hashes = await produceUnderKills(place, seed)
  expect(hashes).toEqual({ stdout: expectedHash(seed, 'stdout'), stderr: expectedHash(seed, 'stderr') })
}, 60_000)

test('a runner that forgets its position, the mutant, does not pass that check', async () => {
  await using place = createRunPlace()
  const hashes = await produceUnderKills(place, seed, 'read-again')
  expect(hashes.stdout).not.toBe(expectedHash(seed, 'stdout'))
}, 60_000)

test('an agent that ended while no runner was there is adopted with its exit and all its output', async () => {
  await using place = createRunPlace()
  const { runId, folder } = place.newRun()
  const spec = place.spec('sh', ['-c', 'echo before; sleep 0.3; echo after; exit 7'])
  const runner = startRunner({ folder, runId, spec })
  await runner.reading
  await runner.kill()
  await eventually(() => expect(readJson(runFiles(folder).exit)).not.toBeNull())

  const run = place.keep(await adoptSupervised(folder, runId))
  expect((await readAll(run)).stdout.toString()).toBe('before\nafter\n')
  expect(await run.exited).toMatchObject({ exitCode: 7, error: null, killProof: null })
})

test('an adopted agent goes on reading its stdin', async () => {
  await using place = createRunPlace()
  const { runId, folder } = place.newRun()
  const spec = place.spec('cat', [], { stdin: 'first\n', keepStdinOpen: true })
  const runner = startRunner({ folder, runId, spec })
  await runner.reading
  await runner.kill()

  const run = place.keep(await adoptSupervised(folder, runId))
  await run.write('zweite ✓\n')
  await run.write('third\n')
  await run.closeStdin()
  expect((await readAll(run)).stdout.toString()).toBe('first\nzweite ✓\nthird\n')
  expect(await run.exited).toMatchObject({ exitCode: 0 })
})

test('a supervisor that is killed takes its agent with it once a runner looks', async () => {
  await using place = createRunPlace()
  const token = place.sleep()
  const spec = place.spec('sh', [fixture('hide.sh'), 'setsid', 'stay', token])
  const { run, folder } = await place.start(spec)
  await untilOutput(run, 1)
  killSupervisor(folder)
  const exit = await within(10_000, run.exited)
  expect(processesWith(token)).toEqual([])
  expect(exit).toMatchObject({ error: 'killed', exitCode: null, killProof: { survivors: 0 } })
  expect((await readAll(run)).stdout.toString()).toBe('hidden setsid\n')
})

test('a run whose supervisor was killed while no runner was there is gone, and so is its agent', async () => {
  await using place = createRunPlace()
  const token = place.sleep()
  const { runId, folder } = place.newRun()
  const runner = startRunner({
    folder,
    runId,
    spec: place.spec('sh', [fixture('hide.sh'), 'setsid', 'stay', token]),
  })
  await runner.reading
  await eventually(() => expect(processesWith(token)).toHaveLength(2))
  await runner.kill()
  killSupervisor(folder)
  // A process that is just ending has no command line any more and still counts as alive.
  const record = readJson<SupervisorRecord>(runFiles(folder).supervisor) as SupervisorRecord
  await eventually(() => expect(isAlive(record.supervisor)).toBe(false))

  const gone = await adoptSupervised(folder, runId)
  expect(gone).toMatchObject({ gone: 'supervisor_died', killProof: { survivors: 0 } })
  expect(processesWith(token)).toEqual([])
})

test('a run from before the restart of the machine is gone, and no process is touched by its old number', async () => {
  await using place = createRunPlace()
  const { run, runId, folder } = await place.start(place.spec('sleep', [place.sleep()]))
  run.release()
  const { supervisor } = runFiles(folder)
  const record = readJson<SupervisorRecord>(supervisor) as SupervisorRecord
  writeFileSync(supervisor, JSON.stringify({ ...record, bootId: 'another' }))
  expect(await adoptSupervised(folder, runId)).toMatchObject({ gone: 'machine_restarted', killProof: null })

  writeFileSync(supervisor, JSON.stringify(record))
  const again = place.keep(await adoptSupervised(folder, runId))
  await again.stop('test', 0)
  expect(await again.exited).toMatchObject({ signal: 'SIGKILL' })
})

test('a reused process id is neither taken for the supervisor nor ended', async () => {
  await using place = createRunPlace()
  const { runId, folder } = place.newRun()
  const { run, folder: other } = await place.start(place.spec('sleep', [place.sleep()]))
  const record = readJson<SupervisorRecord>(runFiles(other).supervisor) as SupervisorRecord
  const { run: ended } = await startAndEnd(place, runId, folder)
  ended.release()
  const earlier = (identity: { pid: number }) => ({ pid: identity.pid, startTime: '1' })
  const agent = earlier(record.agent ?? { pid: 0 })
  writeFileSync(
    runFiles(folder).supervisor,
    JSON.stringify({ ...record, cgroup: null, supervisor: earlier(record.supervisor), agent }),
  )
  expect(await adoptSupervised(folder, runId)).toMatchObject({ gone: 'supervisor_died', killProof: null })
  await run.stop('test', 0)
  expect(await run.exited).toMatchObject({ signal: 'SIGKILL', stopReason: 'test' })
})

async function startAndEnd(place: ReturnType<typeof createRunPlace>, runId: string, folder: string) {
  const run = place.keep(await startSupervised(folder, runId, place.spec('true', [])))
  await run.exited
  rmSync(runFiles(folder).exit)
  return { run }
}

test('an attempt that an adopter gave up never starts its agent, and the run can be started anew', async () => {
  await using place = createRunPlace()
  const { runId, folder } = place.newRun()
  expect(await adoptSupervised(folder, runId)).toMatchObject({ gone: 'never_started' })

  const marker = join(place.root, 'ran')
  const spec = place.spec('sh', ['-c', `echo ran >> ${marker}`])
  const starting = startSupervised(folder, runId, spec)
  // The adopter is there before the supervisor: its claim is what decides.
  await eventually(() => expect(readJson(runFiles(folder).control)).not.toBeNull(), { everyMs: 1 })
  const adopted = await adoptSupervised(folder, runId)
  expect(adopted).toMatchObject({ gone: 'never_started' })
  await expect(starting).rejects.toThrow('supervisor ended at once')

  const run = place.keep(await startSupervised(folder, runId, spec))
  expect(await run.exited).toMatchObject({ exitCode: 0 })
  expect(readFileSync(marker, 'utf8')).toBe('ran\n')
  await expect(startSupervised(folder, runId, spec)).rejects.toThrow('started before')
})

function killSupervisor(folder: string): void {
  const record = readJson<SupervisorRecord>(runFiles(folder).supervisor) as SupervisorRecord
  process.kill(record.supervisor.pid, 'SIGKILL')
}
