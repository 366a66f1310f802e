import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '@baton/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { markedWithRun } from './support/marked-with-run.ts'
import { readStatus, startRunnerProcess, untilIdle } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace

beforeEach(async () => {
  place = await createTestPlace()
}, 60_000)
afterEach(() => place?.[Symbol.asyncDispose]())

const LINES = 200
const everyLine = Array.from({ length: LINES }, (_, at) => `line ${at + 1}`)

async function linesOf(id: string): Promise<unknown[]> {
  const events = await place.events(id)
  return events
    .filter((event) => event.type === 'message' && /^line /.test(event.text ?? ''))
    .map(({ text }) => text)
}

const hasLines = (count: number) => (run: { transcript: { events: number } }) =>
  run.transcript.events >= count

async function expectWhole(id: string) {
  const run = await place.untilFinished(id, 30_000)
  expect(run).toMatchObject({ state: 'succeeded', outcome: 'done', attempt: 1 })
  expect(await linesOf(id)).toEqual(everyLine)
  expect(run.transcript.complete).toBe(true)
  expect(run.transcript.hash).toBe(run.transcript.expectedHash)
  return run
}

test('a runner that is killed in the middle of a run is followed by one that adopts it, with every line once', async () => {
  const { home } = await place.makeHome()
  const first = startRunnerProcess(home)
  await first.ready
  const id = await place.run(`@demo lines ${LINES} 20`)
  await place.until(id, hasLines(40))
  await first.kill('SIGKILL')
  await wait(300)
  await using second = startRunnerProcess(home)
  await second.ready
  await expectWhole(id)
  const adopted = (await place.events(id)).filter((event) => event.type === 'adopted')
  expect(adopted).toHaveLength(1)
  expect(adopted[0]?.afterMs).toBeGreaterThan(0)
}, 60_000)

test('a run that ends while no runner is there is settled by the next one', async () => {
  const { home } = await place.makeHome()
  const first = startRunnerProcess(home)
  await first.ready
  const id = await place.run(`@demo lines ${LINES} 5`)
  await place.until(id, hasLines(20))
  await first.kill('SIGKILL')
  while (markedWithRun(id).length > 0) await wait(50)
  await using second = startRunnerProcess(home)
  await second.ready
  await expectWhole(id)
}, 60_000)

test('a runner that is stopped leaves its runs to their supervisors, and the next goes on with them', async () => {
  const { home } = await place.makeHome()
  const first = startRunnerProcess(home)
  await first.ready
  const id = await place.run(`@demo lines ${LINES} 20`)
  await place.until(id, hasLines(20))
  expect((await first.kill('SIGTERM')).code).toBe(0)
  expect(markedWithRun(id).length).toBeGreaterThan(0)
  await using second = startRunnerProcess(home)
  await second.ready
  await expectWhole(id)
}, 60_000)

test('a runner that belongs to a terminal ends its runs when that is gone, and says so', async () => {
  const { home, paths } = await place.makeHome()
  const runner = startRunnerProcess(home, { env: { BATON_EXIT_WITH_PARENT: '1' } })
  await runner.ready
  const id = await place.run('@demo ignore-term\n@demo hang')
  await place.untilRunning(id)
  await place.until(id, hasLines(3))
  runner.closeStdin()
  expect((await runner.exited).code).toBe(0)
  expect(markedWithRun(id)).toEqual([])
  expect(await place.view(id)).toMatchObject({ state: 'failed', errorKind: 'killed' })
  expect((await readStatus(paths)).connection.state).toBe('stopped')
}, 60_000)

test('a relay that restarts in the middle of a run loses and repeats no line', async () => {
  const { home } = await place.makeHome()
  await using runner = startRunnerProcess(home)
  await runner.ready
  const id = await place.run(`@demo lines ${LINES} 20`)
  await place.until(id, hasLines(30))
  await place.relay.stop()
  await place.relay.start()
  await place.until(id, hasLines(80))
  await place.relay.kill()
  await wait(500)
  await place.relay.start()
  await expectWhole(id)
}, 60_000)

test('a relay that hands over to another one is left only when the connection to that one stands', async () => {
  const second = await place.startSecondRelay()
  try {
    await using proxy = await startCuttingProxy(place.relay.url)
    const { home, paths } = await place.makeHome('home', proxy.url)
    await using runner = startRunnerProcess(home)
    await runner.ready
    const id = await place.run(`@demo lines ${LINES} 20`)
    await place.until(id, hasLines(20))
    proxy.target = second.url
    await place.relay.stop()
    await place.relay.start()
    await expectWhole(id)
    const states = (await readFile(paths.logFile, 'utf8')).match(/"state":"\w+"/g)
    expect(states).toEqual(['connecting', 'online', 'online'].map((state) => `"state":"${state}"`))
  } finally {
    await second.kill()
  }
}, 60_000)

test('a connection that is cut again and again loses and repeats no line', async () => {
  await using proxy = await startCuttingProxy(place.relay.url)
  const { home } = await place.makeHome('home', proxy.url)
  await using runner = startRunnerProcess(home)
  await runner.ready
  const id = await place.run(`@demo lines ${LINES} 20`)
  for (let cuts = 0; cuts < 6; cuts += 1) {
    await wait(400)
    proxy.cut()
  }
  await expectWhole(id)
}, 60_000)

test('where WebSockets are refused deliveries come over HTTP, and a lost answer repeats nothing', async () => {
  await using proxy = await startCuttingProxy(place.relay.url)
  proxy.refuseWebSockets = true
  const { home, paths } = await place.makeHome('home', proxy.url)
  await using runner = startRunnerProcess(home)
  await runner.ready
  await eventually(async () =>
    expect((await readStatus(paths)).connection).toMatchObject({ state: 'online', via: 'http' }),
  )
  const procedures = ['runner.pull', 'runner.accept', 'runner.start', 'runner.append', 'runner.settle']
  for (const procedure of procedures) {
    const lost = proxy.loseAnswer(procedure)
    const id = await place.run(`@demo lines ${LINES} 0`)
    await lost
    await expectWhole(id)
    await untilIdle(paths)
  }
  const rows = await place.query<{ runs: number }>('select count(*)::int as runs from runs')
  expect(rows[0]?.runs).toBe(procedures.length)
  const closed = (await readFile(paths.logFile, 'utf8')).match(/"why":"\w+"/g)
  expect(closed).toEqual([...procedures.slice(1).map(() => '"why":"settled"'), '"why":"already"'])
}, 90_000)

test('a delivery that was accepted when the relay went is started when it is back, once', async () => {
  await using proxy = await startCuttingProxy(place.relay.url)
  proxy.refuseWebSockets = true
  const { home, paths } = await place.makeHome('home', proxy.url)
  await using runner = startRunnerProcess(home)
  await runner.ready
  const lost = proxy.loseAnswer('runner.accept', { andGoDown: true })
  const id = await place.run(`@demo lines ${LINES} 0`)
  await lost
  await place.relay.kill()
  await eventually(async () =>
    expect((await readStatus(paths)).runs).toMatchObject([{ runId: id, phase: 'accepted' }]),
  )
  expect(markedWithRun(id)).toEqual([])
  await place.relay.start()
  proxy.down = false
  await expectWhole(id)
}, 60_000)

test('a delivery that was accepted when the runner was killed is started by the next one, once', async () => {
  await using proxy = await startCuttingProxy(place.relay.url)
  proxy.refuseWebSockets = true
  const { home } = await place.makeHome('home', proxy.url)
  const first = startRunnerProcess(home)
  await first.ready
  const lost = proxy.loseAnswer('runner.accept', { andGoDown: true })
  const id = await place.run(`@demo lines ${LINES} 0`)
  await lost
  await first.kill('SIGKILL')
  proxy.down = false
  await using second = startRunnerProcess(home)
  await second.ready
  await expectWhole(id)
}, 60_000)

test('a run whose supervisor was killed has failed, keeps its output and leaves no process', async () => {
  const { home } = await place.makeHome()
  const first = startRunnerProcess(home)
  await first.ready
  const id = await place.run(`@demo lines ${LINES} 20`)
  await place.until(id, hasLines(20))
  await first.kill('SIGKILL')
  const { supervisor } = await place.readSupervisor(home, id)
  process.kill(supervisor.pid, 'SIGKILL')
  await using second = startRunnerProcess(home)
  await second.ready
  const run = await place.untilFinished(id)
  expect(run).toMatchObject({ state: 'failed', errorKind: 'killed', transcript: { complete: true } })
  expect(markedWithRun(id)).toEqual([])
  const lines = await linesOf(id)
  expect(lines.length).toBeGreaterThan(10)
  expect(lines).toEqual(everyLine.slice(0, lines.length))
}, 60_000)
