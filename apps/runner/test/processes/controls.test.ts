import { execFile } from 'node:child_process'
import { type RunControl, toId } from '@baton/protocol'
import { newTestId } from '@baton/testkit'
import { expect, test } from 'vitest'
import type { TellWork } from './fixtures/tell-agent.ts'
import { createRunPlace, fixture, readAll } from './kit.ts'

function tellAgent(work: TellWork): Promise<{ signal: string | null; said: unknown }> {
  const { promise, resolve } = Promise.withResolvers<{ signal: string | null; said: unknown }>()
  const child = execFile(process.execPath, [fixture('tell-agent.ts')], (error, stdout, stderr) => {
    const said = stdout === '' ? stderr || null : JSON.parse(stdout)
    resolve({ signal: (error?.signal as string | undefined) ?? null, said })
  })
  child.stdin?.end(JSON.stringify(work))
  return promise
}

test.each(['before', 'after'] as const)(
  'what a person said reaches the agent once when the runner is killed right %s it is written',
  async (die) => {
    await using place = createRunPlace()
    const { run, runId, folder } = await place.start(place.spec('cat', [], { keepStdinOpen: true }))
    const lease = {
      deliveryId: toId('delivery', '00000000-0000-7000-8000-000000000000'),
      runId: toId('run', runId.slice(4)),
      fence: 1,
      by: 'Ada',
    }
    const steer: RunControl = { ...lease, id: newTestId('control'), kind: 'steer', text: 'use tabs' }
    const interrupt: RunControl = { ...lease, id: newTestId('control'), kind: 'interrupt' }
    for (const control of [steer, interrupt]) {
      const killed = await tellAgent({ folder, runId, control, die })
      expect(killed).toEqual({ signal: 'SIGKILL', said: null })
      const repeated = await tellAgent({ folder, runId, control, die: null })
      expect(repeated).toEqual({ signal: null, said: { result: 'delivered', reason: null } })
    }
    await run.closeStdin()
    const heard = (await readAll(run)).stdout.toString().trim().split('\n')
    expect(heard.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'user', message: { content: 'use tabs' } },
      { type: 'control_request', request: { subtype: 'interrupt' } },
    ])
  },
)
