import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { markedWithRun } from './support/marked-with-run.ts'
import { startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace

beforeAll(async () => {
  place = await createTestPlace()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose]())

const DAY = 86_400_000
const shiftClock = join(import.meta.dirname, 'fixtures/shift-clock.mjs')

async function expectWhole(id: string, lines: number) {
  const run = await place.untilFinished(id, 30_000)
  expect(run).toMatchObject({ state: 'succeeded', attempt: 1, transcript: { complete: true } })
  expect(run.transcript.hash).toBe(run.transcript.expectedHash)
  const said = (await place.events(id)).filter(({ text }) => /^line /.test(text ?? ''))
  expect(said.map(({ text }) => text)).toEqual(Array.from({ length: lines }, (_, at) => `line ${at + 1}`))
  return run
}

/** What the database would do when the lease's time is over, now. */
async function lapse(id: string) {
  await place.query(`update deliveries d set lease_expires_at = now() - interval '1 second'
    where exists (select from runs r where r.delivery_id = d.id and r.id = '${id}')`)
  await place.until(id, (run) => run.deliveryState === 'stalled')
}

test('a runner that stood still for longer than its lease renews before it writes, and goes on with every line', async () => {
  await using proxy = await startCuttingProxy(place.relay.url)
  proxy.refuseWebSockets = true // so that the proxy sees the calls
  const { home, paths } = await place.makeHome('stopped', proxy.url)
  await using runner = startRunnerProcess(home)
  await runner.ready
  const id = await place.run('@demo lines 300 100')
  await place.until(id, (run) => run.transcript.events > 20)
  runner.signal('SIGSTOP')
  await lapse(id)
  await wait(21_000)
  proxy.called.length = 0
  runner.signal('SIGCONT')
  await expectWhole(id, 300)
  expect(await readFile(paths.logFile, 'utf8')).toContain('The computer slept')
  const writes = ['runner.append', 'runner.start', 'runner.settle', 'runner.accept']
  const first = proxy.called.findIndex((name) => writes.includes(name))
  expect(proxy.called.slice(0, first)).toContain('runner.renew')
}, 90_000)

test('what was given up while its runner stood still is ended there, changes nothing and keeps its transcript', async () => {
  const { home } = await place.makeHome('given-up')
  await using runner = startRunnerProcess(home, { args: ['--takeover'] })
  await runner.ready
  const id = await place.run('@demo lines 600 50')
  await place.until(id, (run) => run.transcript.events > 20)
  runner.signal('SIGSTOP')
  await lapse(id)
  const { deliveryState } = await place.api.runs.giveUp.mutate({ id })
  runner.signal('SIGCONT')
  const run = await place.until(id, (now) => now.transcript.complete, 20_000)
  expect(run.deliveryState).toBe(deliveryState)
  expect(run.transcript.hash).toBe(run.transcript.expectedHash)
  expect(markedWithRun(id)).toEqual([])
  const [row] = await place.query<{ runs: number }>(
    `select count(*)::int as runs from runs where delivery_id = '${run.deliveryId}'`,
  )
  expect(row?.runs).toBe(1)
}, 60_000)

test.each([
  ['ahead', DAY],
  ['behind', -DAY],
])(
  'a machine whose clock is a day %s, and then jumps two the other way, works all the same',
  async (_, shift) => {
    const { home } = await place.makeHome(`clock${shift}`)
    const env = { NODE_OPTIONS: `--import=${shiftClock}`, CLOCK_SHIFT_MS: String(shift) }
    await using runner = startRunnerProcess(home, { args: ['--takeover'], env })
    await runner.ready
    const before = Date.now()
    const plain = await expectWhole(await place.run('@demo lines 20 5'), 20)
    for (const at of [plain.ladder.startedAt, plain.ladder.finishedAt]) {
      expect(at).toBeGreaterThan(before - 1_000)
      expect(at).toBeLessThan(Date.now() + 1_000)
    }
    const id = await place.run('@demo lines 100 20')
    await place.until(id, (run) => run.transcript.events > 20)
    runner.signal('SIGUSR2')
    await expectWhole(id, 100)
  },
  60_000,
)
