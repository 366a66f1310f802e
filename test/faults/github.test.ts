import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { sql } from '@baton/db'
import type { PushedDelivery } from '@baton/protocol'
import { connectWireRunner, eventually, leaseOf, wireRun } from '@baton/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type GithubPlace, openGithubPlace } from '../../apps/relay/test/support/github-place.ts'
import { makeMutantTree } from './crash/mutant-tree.ts'

let place: GithubPlace
async function openWithJob(main?: string): Promise<GithubPlace> {
  const opened = await openGithubPlace(main)
  await opened.api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'Fix it',
    triggers: [
      { kind: 'github', event: 'issue_comment', command: '/fix', feedback: { resultComment: true } },
    ],
  })
  return opened
}

const INSTANCE = 'installation1.1'

beforeAll(async () => {
  place = await openWithJob()
}, 60_000)
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
})
afterEach(() => place.github.weather.clear())

/** Time passes: what waits for its next try, or for the claim of a relay that is gone, is due. */
async function hurry() {
  const { db } = place.db
  await sql`update dispatches set next_at = now() where state in ('pending', 'sending')`.execute(db)
  await sql`update github_events set next_at = now() where next_at is not null`.execute(db)
}

/** Every call that changes something goes wrong the first time, the third, the fifth … */
function everySecondWrite(kind: 'lose' | 'drop' | 'fail' | 'secondary', onHit: () => void = () => {}) {
  const seen = new Map<string, number>()
  place.github.weather.add({
    kind,
    times: 1_000,
    onHit,
    match(method, path) {
      if (method === 'GET') return false
      const count = (seen.get(`${method} ${path}`) ?? 0) + 1
      seen.set(`${method} ${path}`, count)
      // A new relay needs new tokens: to lose one in each would let none come further.
      return path.endsWith('/access_tokens') ? count === 1 : count % 2 === 1
    },
  })
  return seen
}

/** What GitHub shows of one comment and its run. */
function shown(commentId: number, deliveryId: string) {
  const { comments, checks } = place.repository
  const own = comments.filter((one) => one.app === place.app && one.body.includes(deliveryId))
  return {
    reactions: comments.find((one) => one.id === commentId)?.reactions.map((one) => one.content),
    comments: own.filter((one) => one.body.includes(':comment -->')).map((one) => one.body),
    results: own.filter((one) => one.body.includes(':result -->')).map((one) => one.body),
    checks: checks.filter((one) => one.external_id.includes(deliveryId)).map((one) => one.status),
  }
}

const untilShown = (
  commentId: number,
  deliveryId: string,
  check: (view: ReturnType<typeof shown>) => void,
  step: () => Promise<void>,
) =>
  eventually(
    async () => {
      await step()
      check(shown(commentId, deliveryId))
    },
    { timeoutMs: 60_000, everyMs: 150 },
  )

/** As senders and runners do it: again until it is answered. */
const persist = <T>(step: () => Promise<void>, call: () => Promise<T>) =>
  eventually(
    async () => {
      await step()
      return await call()
    },
    { timeoutMs: 60_000, everyMs: 100 },
  )

/** One comment from the webhook to the end of its run, with `step` made over and over while something is waited for. */
async function play(step: () => Promise<void>) {
  const { id, payload } = place.comment(place.ada, '/fix this')
  const guid = randomUUID()
  const answer = await persist(step, () => place.post('issue_comment', payload, { guid }))
  const { eventId } = (await answer.json()) as { eventId: string }
  const delivery = await eventually(
    async () => {
      await step()
      const { rows } = await sql<{
        id: string
      }>`select id from deliveries where event_id = ${eventId}`.execute(place.db.db)
      expect(rows).toHaveLength(1)
      return rows[0]?.id ?? ''
    },
    { timeoutMs: 60_000, everyMs: 150 },
  )
  await untilShown(
    id,
    delivery,
    (view) =>
      expect(view).toMatchObject({ reactions: ['eyes'], comments: [expect.anything()], checks: ['queued'] }),
    step,
  )
  const known: PushedDelivery[] = []
  const pushed = await persist(step, () => startRun(known))
  await untilShown(id, delivery, (view) => expect(view.checks).toEqual(['in_progress']), step)
  await persist(step, () => finishRun(pushed))
  await untilShown(
    id,
    delivery,
    (view) => {
      expect(view.checks).toEqual(['completed'])
      expect(view.results).toHaveLength(1)
      expect(view.comments[0]).toContain('is done')
    },
    step,
  )
  await eventually(
    async () => {
      await step()
      const { rows } =
        await sql`select from github_contexts where done_at is not null and delivery_id = ${delivery}`.execute(
          place.db.db,
        )
      expect(rows).toHaveLength(1)
    },
    { timeoutMs: 60_000, everyMs: 150 },
  )
  return { view: shown(id, delivery), eventId, delivery }
}

/** Takes the run up as a runner does that is connected again and again: what it was pushed it holds. */
async function startRun(known: PushedDelivery[]): Promise<PushedDelivery> {
  const held = known.map((one) => ({ ...leaseOf(one), phase: 'accepted' as const }))
  await using runner = await connectWireRunner(place.relay.url, place.machineKey, {
    instanceId: INSTANCE,
    held,
  })
  runner.subscribe({ slots: 1, onPush: (push) => void known.push(...push.deliveries), onEnd: () => {} })
  const delivery = await eventually(() => {
    expect(known.length).toBeGreaterThan(0)
    return known.at(-1) as PushedDelivery
  })
  const lease = leaseOf(delivery)
  await runner.api.runner.accept.mutate({ deliveries: [lease] })
  await runner.api.runner.start.mutate({
    sentAt: Date.now(),
    runs: [{ ...lease, startedAt: Date.now(), workspace: '/w' }],
  })
  return delivery
}

async function finishRun(delivery: PushedDelivery) {
  const lease = leaseOf(delivery)
  await using runner = await connectWireRunner(place.relay.url, place.machineKey, {
    instanceId: INSTANCE,
    held: [{ ...lease, phase: 'running' }],
  })
  const { settle } = wireRun(lease, [], { result: 'All good.' })
  await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
}

const ONCE = {
  reactions: ['eyes'],
  comments: [expect.stringContaining('is done')],
  results: [expect.stringContaining('All good.')],
  checks: ['completed'],
}

/** The long versions and the mutants run in `npm run test:faults`. */
const isLong = process.env.FAULTS === 'large'
const MOST_KILLS = isLong ? 100 : 3

test.each(isLong ? (['lose', 'drop', 'fail', 'secondary'] as const) : (['lose', 'secondary'] as const))(
  'with every second call ending in "%s", GitHub shows each thing once',
  { timeout: 120_000 },
  async (kind) => {
    const seen = everySecondWrite(kind)
    const { view } = await play(hurry)
    expect(view).toEqual(ONCE)
    expect([...seen.keys()].filter((key) => !key.includes('access_tokens')).length).toBeGreaterThanOrEqual(4)
  },
)

test.each(isLong ? (['lose', 'drop'] as const) : (['lose'] as const))(
  'with the relay killed at every step, its call ending in "%s", GitHub shows each thing once',
  { timeout: 240_000 },
  async (kind) => {
    let isDown = false
    let kills = 0
    everySecondWrite(kind, () => {
      if (isDown || kills === MOST_KILLS) return
      isDown = true
      kills += 1
      process.kill(place.relay.pid, 'SIGKILL')
    })
    const step = async () => {
      if (isDown) {
        await place.restart()
        isDown = false
      }
      await hurry()
    }
    const { view, eventId } = await play(step)
    expect(view).toEqual(ONCE)
    expect(kills).toBeGreaterThanOrEqual(Math.min(MOST_KILLS, 7))
    const { rows } = await sql<{
      n: number
    }>`select count(*)::int as n from deliveries where event_id = ${eventId}`.execute(place.db.db)
    expect(rows[0]?.n).toBe(1)
  },
)

/** What keeps a second comment away is that the first is looked for: without it this suite must notice. */
test.runIf(isLong)(
  'mutant: a comment that is never looked for is made twice',
  { timeout: 240_000 },
  async () => {
    using mutant = makeMutantTree([
      {
        file: 'apps/relay/src/github/senders/comment-sender.ts',
        from: 'dispatch.tries > 1 || place.stage > 1',
        to: 'false as boolean',
      },
    ])
    const real = place
    await using mutated = await openWithJob(join(mutant.root, 'apps/relay/src/main.ts'))
    place = mutated
    try {
      everySecondWrite('lose')
      const { id, payload } = place.comment(place.ada, '/fix this')
      await place.post('issue_comment', payload)
      await eventually(
        async () => {
          await hurry()
          const own = place.repository.comments.filter((one) => one.app === place.app)
          expect(own.length).toBeGreaterThan(1)
          expect(id).toBeGreaterThan(0)
        },
        { timeoutMs: 60_000, everyMs: 150 },
      )
    } finally {
      place = real
    }
  },
)
