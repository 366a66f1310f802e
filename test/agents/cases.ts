import assert from 'node:assert/strict'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunEvent } from '@baton/protocol'
import { eventually } from '@baton/testkit'
import { markedWithRun } from '../../apps/runner/test/support/marked-with-run.ts'
import type { CasePlace, Ended } from './agent-place.ts'

export type CaseName =
  | 'answer'
  | 'tool, changed file'
  | 'resume'
  | 'lost session'
  | 'cancel in mid-turn'
  | 'denial'
  | 'API error 500'
  | 'hang'
  | 'kill -9 of the runner'
  | 'wrong key 401'
  | 'quota 429'

/** `instead`: the error kind that this runtime comes to where others come to another. */
export type Case = { name: CaseName; check(place: CasePlace, instead: string | null): Promise<void> }

/** Long enough for the slowest CLI to start on a busy machine. */
const SILENCE_MS = 25_000

/** In this order: the last two stop the agents of their runtime. */
export const CASES: readonly Case[] = [
  {
    name: 'answer',
    async check(place) {
      const prompt = '@usage 120 30\n@say Hello from the model.'
      const ended = await place.run({ prompt, permissionMode: 'read_only' })
      hasOutcome(ended, 'done')
      assert.equal(ended.view.result, 'Hello from the model.')
      assert.deepEqual(tokensOf(ended), { in: 120, out: 30 })
      hasTypes(ended.events, ['started', 'session', 'consumed', 'message', 'usage', 'result'])
      assert.equal(ended.view.transcript.complete, true)
    },
  },
  {
    name: 'tool, changed file',
    async check(place) {
      const ended = await place.run({ prompt: '@write notes.txt <<< one\\ntwo\n@say Written.' })
      hasOutcome(ended, 'done')
      assert.equal(await readFile(join(place.folder, 'notes.txt'), 'utf8'), 'one\ntwo\n')
      hasTypes(ended.events, ['tool_started', 'tool_finished'])
      const finished = ended.events.find((event) => event.type === 'tool_finished')
      assert.equal(finished?.ok, true)
      const changes = await place.dev.baton.runs.changes(ended.view.id)
      assert.deepEqual(
        changes?.files.map(({ path }) => path),
        ['notes.txt'],
      )
    },
  },
  {
    name: 'resume',
    async check(place) {
      const conversation = 'one and the same'
      const first = await place.run({ prompt: 'Remember me.', permissionMode: 'read_only', conversation })
      hasOutcome(first, 'done')
      const second = await place.run({ prompt: 'How many?', permissionMode: 'read_only', conversation })
      hasOutcome(second, 'done')
      assert.equal(second.view.result, 'This conversation has 2 user prompts.')
      assert.deepEqual(tokensOf(second), tokensOf(first))
    },
  },
  {
    name: 'lost session',
    async check(place) {
      const conversation = 'one that is lost'
      hasOutcome(
        await place.run({ prompt: 'Remember me.', permissionMode: 'read_only', conversation }),
        'done',
      )
      await place.loseSessions()
      const lost = await place.run({ prompt: 'How many?', permissionMode: 'read_only', conversation })
      hasOutcome(lost, 'error', 'session_lost')
      await eventually(
        async () => {
          const { status, result } = await place.dev.baton.deliveries.get(lost.view.deliveryId)
          assert.deepEqual(
            { status, result },
            { status: 'done', result: 'This conversation has 1 user prompt.' },
          )
        },
        { timeoutMs: 60_000 },
      )
    },
  },
  {
    name: 'cancel in mid-turn',
    async check(place) {
      const prompt = place.toolless ? '@slow 3000x100ms tick' : '@shell touch begun; sleep 300\n@say Never.'
      const run = await place.start({ prompt, permissionMode: 'full' })
      await hasBegun(place)
      assert.notEqual(markedWithRun(run.id).length, 0)
      await run.cancel('enough')
      const ended = await place.until(run)
      assert.equal(ended.finished.state, 'cancelled')
      await nothingIsLeft(run.id)
    },
  },
  {
    name: 'denial',
    async check(place) {
      const file = `/baton-denied-${process.pid}`
      const ended = await place.run({ prompt: `@shell touch ${file}\n@say The command was handled.` })
      hasOutcome(ended, 'blocked_by_permission', 'permission_denied')
      hasTypes(ended.events, ['permission_denied'])
      await assert.rejects(access(file))
    },
  },
  {
    name: 'API error 500',
    async check(place, instead) {
      const ended = await place.run({ prompt: '@fail 500', limits: { silenceMs: SILENCE_MS * 2 } })
      hasOutcome(ended, 'error', instead ?? 'api_error')
    },
  },
  {
    name: 'hang',
    async check(place) {
      const run = await place.start({ prompt: '@say I wait.\n@hang', limits: { silenceMs: SILENCE_MS } })
      const ended = await place.until(run)
      hasOutcome(ended, 'error', 'timeout_silence')
      await nothingIsLeft(run.id)
      await eventually(() => {
        if (!place.model.requests().some(({ aborted }) => aborted)) throw new Error('still asking the model')
      })
    },
  },
  {
    name: 'kill -9 of the runner',
    async check(place) {
      const prompt = place.toolless
        ? '@slow 60x100ms tick\n@say Done after all.'
        : '@shell touch begun; sleep 6; echo late > late.txt\n@say Done after all.'
      const run = await place.start({ prompt, permissionMode: 'full' })
      await hasBegun(place)
      for (const pid of await place.dev.find('runner')) process.kill(pid, 'SIGKILL')
      const ended = await place.until(run)
      hasOutcome(ended, 'done')
      hasTypes(ended.events, ['adopted'])
      assert.match(ended.view.result ?? '', /Done after all\.$/)
      assert.equal(ended.view.attempt, 1)
      if (!place.toolless) assert.equal(await readFile(join(place.folder, 'late.txt'), 'utf8'), 'late\n')
      assert.equal(ended.view.transcript.complete, true)
    },
  },
  {
    name: 'wrong key 401',
    async check(place) {
      const ended = await place.run({ prompt: '@fail 401' })
      hasOutcome(ended, 'error', 'not_signed_in')
      await resumeAgents(place)
    },
  },
  {
    name: 'quota 429',
    async check(place, instead) {
      const ended = await place.run({ prompt: '@fail 429', limits: { silenceMs: SILENCE_MS } })
      hasOutcome(ended, 'error', instead ?? 'quota')
      if (instead === null) await isParkedForAnHour(place, ended)
      await resumeAgents(place)
    },
  },
]

function hasOutcome({ finished }: Ended, outcome: string, errorKind: string | null = null): void {
  const got = { outcome: finished.outcome, errorKind: finished.errorKind }
  assert.deepEqual(got, { outcome, errorKind }, `${JSON.stringify(got)}: ${finished.message}`)
}

function hasTypes(events: readonly RunEvent[], types: readonly string[]): void {
  const seen = new Set<string>(events.map((event) => event.type))
  const missing = types.filter((type) => !seen.has(type))
  assert.deepEqual(missing, [], `no ${missing.join(', ')} among ${[...seen].join(', ')}`)
}

function tokensOf({ view }: Ended): object {
  return { in: view.usage?.inputTokens, out: view.usage?.outputTokens }
}

/** The agent is in the middle of its turn: its command runs, or the model is answering it. */
async function hasBegun({ folder, model, toolless }: CasePlace): Promise<void> {
  const isAnswering = () =>
    model.requests().some(({ prompts, status, endedAt }) => {
      return status === 200 && endedAt === undefined && /^@slow /.test(prompts.at(-1) ?? '')
    })
  const check = toolless ? () => assert.ok(isAnswering()) : () => access(join(folder, 'begun'))
  await eventually(check, { timeoutMs: 60_000 })
}

async function nothingIsLeft(runId: string): Promise<void> {
  await eventually(() => assert.deepEqual(markedWithRun(runId), []), { timeoutMs: 10_000 })
}

/** The stand-in says that its quota comes back in an hour. */
async function isParkedForAnHour({ dev }: CasePlace, { view }: Ended): Promise<void> {
  await eventually(async () => {
    const { parkedUntil } = await dev.baton.deliveries.get(view.deliveryId)
    const inMinutes = ((parkedUntil === null ? 0 : new Date(parkedUntil).getTime()) - Date.now()) / 60_000
    assert.ok(inMinutes > 50 && inMinutes < 75, `parked for ${Math.round(inMinutes)} minutes`)
  })
}

/** Work of the account waits after a refused key or a used-up quota, until somebody says that it is well again. */
async function resumeAgents({ dev }: CasePlace): Promise<void> {
  for (const agent of await dev.baton.agents.list()) await dev.baton.agents.resume(agent.id)
}
