import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApprovalView } from '@baton/protocol'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll } from 'vitest'
import { pathWithClaude } from './path-with-claude.ts'
import { type RunnerProcess, startRunnerProcess } from './runner-process.ts'
import { createTestPlace, type TestPlace } from './test-place.ts'

/** A place whose agent `asks` asks for whatever it does, with its runner, for the tests of this file. */
export function withAskingAgent() {
  const place = {} as TestPlace
  let home = ''
  let path = ''
  let runner: RunnerProcess | undefined
  async function startRunner() {
    runner = startRunnerProcess(home, { env: { PATH: path } })
    await runner.ready
  }
  beforeAll(async () => {
    Object.assign(place, await createTestPlace())
    home = (await place.makeHome()).home
    path = await pathWithClaude(place.folder, 'scripted-claude.ts')
    await place.api.agents.create.mutate({
      key: 'asks',
      machineId: place.machineId,
      runtime: 'claude',
      approvals: { mode: 'ask' },
    })
    await startRunner()
  }, 60_000)
  afterAll(async () => {
    await runner?.[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]?.()
  })

  return {
    place,
    startRunner,
    killRunner: async () => {
      await runner?.kill('SIGKILL')
    },
    /** A file of the home of the runner, or that home. */
    inHome: (file = '') => join(home, file),
    /** A file that a run of a test is told to make. */
    made: (name: string) => join(place.folder, name),
    start: (prompt: string, more: object = {}) =>
      place.run(prompt, { agent: 'asks', workspace: null, ...more }),
    untilAsked: (id: string, count = 1) =>
      eventually(
        async () => {
          const { items } = await place.api.approvals.list.query({ runId: id })
          if (items.length < count) throw new Error('nothing was asked')
          return items[0] as ApprovalView
        },
        { timeoutMs: 20_000 },
      ),
    untilApproval: (id: string, check: (one: ApprovalView) => boolean, timeoutMs = 20_000) =>
      eventually(
        async () => {
          const one = await place.api.approvals.get.query({ id })
          if (!check(one)) throw new Error(`not yet: ${JSON.stringify(one)}`)
          return one
        },
        { timeoutMs },
      ),
    allow: (id: string, more: object = {}) =>
      place.api.approvals.answer.mutate({ id, decision: 'allow', ...more }),
    typesOf: async (id: string) => (await place.events(id)).map(({ type }) => type),
  }
}

export const isThere = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  )
