import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { markedWithRun } from './support/marked-with-run.ts'
import { startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace

beforeAll(async () => {
  place = await createTestPlace()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose]())

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0

test.skipIf(!canMount)(
  'on a disk that becomes full a run ends with that reason, and the runner goes on',
  async () => {
    const { home } = await place.makeHome()
    const state = join(home, 'state')
    await mkdir(state)
    const mount = `mount -t tmpfs -o size=280m tmpfs ${state} && exec "$0" "$@"`
    await using runner = startRunnerProcess(home, { within: ['unshare', '-m', 'sh', '-c', mount] })
    await runner.ready
    const disk = `/proc/${runner.pid}/root${state}`
    const id = await place.run('@demo lines 20 0\n@demo flood 64m\n@demo hang')
    await place.untilRunning(id)
    await fill(join(disk, 'ballast'))
    const run = await place.untilFinished(id, 30_000)
    expect(run).toMatchObject({ state: 'failed', errorKind: 'disk_full' })
    // The end is told without the supervisor's proof when the runner's own files were the first that did not fit.
    expect(run.killProof?.survivors ?? 0).toBe(0)
    expect(run.message).toMatch(/disk/i)
    expect(run.transcript.complete).toBe(true)
    expect(markedWithRun(id)).toEqual([])

    const waiting = await place.run('@demo ok')
    const parked = await place.until(waiting, (now) => now.deliveryState === 'parked')
    expect(parked.sentence).toMatch(/disk/i)
    await rm(join(disk, 'ballast'))
    await place.query('update deliveries set parked_until = now() where parked_until is not null')
    expect(await place.untilFinished(waiting, 30_000)).toMatchObject({ state: 'succeeded' })
  },
  90_000,
)

async function fill(path: string) {
  const block = Buffer.alloc(1024 * 1024)
  for (;;) {
    try {
      await writeFile(path, block, { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
}
