import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunnerProcess, startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace
let runner: RunnerProcess

beforeAll(async () => {
  place = await createTestPlace()
  const { home } = await place.makeHome()
  runner = startRunnerProcess(home)
  await runner.ready
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

test('a delivery runs to its end and its transcript is complete', async () => {
  const id = await place.run('@demo write made/by-agent.txt hello\n@demo lines 20 0')
  const run = await place.untilFinished(id)
  expect(run).toMatchObject({ state: 'succeeded', outcome: 'done', exitCode: 0, workspace: place.workspace })
  expect(run.transcript).toMatchObject({ complete: true, missing: [] })
  expect(run.transcript.hash).toBe(run.transcript.expectedHash)
  expect(await readFile(join(place.workspace, 'made/by-agent.txt'), 'utf8')).toBe('hello\n')
  const events = await place.events(id)
  expect(events.map((event) => event.type)).toEqual(expect.arrayContaining(['started', 'session', 'result']))
  expect(events.filter((event) => event.type === 'finished')).toHaveLength(1)
  expect(events.at(-1)?.type).toBe('finished')
})
