import { ofMachine } from '@baton/db'
import type { SettleReport } from '@baton/protocol'
import { transcriptStep } from '@baton/protocol/transcript-hash'
import { reportOf } from '@baton/testkit'
import fc from 'fast-check'
import { ensure } from './invariants.ts'
import { underLease } from './step.ts'
import { type Held, LEASE_MS } from './world.ts'

export const accept = underLease('accept', async (world, { lease }) => {
  await world.statements.acceptDeliveries(world.db, ofMachine(world.machineId, [lease]), LEASE_MS)
})
export const start = underLease('start', async (world, { lease }) => {
  await world.statements.startRuns(
    world.db,
    ofMachine(world.machineId, [{ ...lease, agoMs: 1, workspace: '/w' }]),
    LEASE_MS,
  )
})
export const renew = underLease('renew', async (world, { lease }) => {
  const renewed = await world.statements.renewLeases(world.db, ofMachine(world.machineId, [lease]), LEASE_MS)
  if (renewed.size > 0) world.seen.set('renew', (world.seen.get('renew') ?? 0) + 1)
})

export const append = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('next', 'next', 'repeat', 'gap'))
  .chain(([count, at]) =>
    underLease(`append-${at} ${count}`, async (world, held) => {
      const fromSeq = at === 'next' ? held.seq + 1 : at === 'gap' ? held.seq + 2 : Math.max(1, held.seq)
      const texts = Array.from(
        { length: count },
        (_, index) => `{"at":1,"type":"message","text":"é🌹 ${fromSeq + index}"}`,
      )
      const hashAfter = texts.reduce(transcriptStep, held.hash)
      const item = {
        ...held.lease,
        machineId: world.machineId,
        fromSeq,
        hashBefore: held.hash,
        hashAfter,
        texts,
        firstOutput: true,
        consumed: false,
      }
      const stored = await world.statements.appendRunEvents(world.db, [item])
      if (!stored.has(held.lease.runId)) return
      ensure(fromSeq === held.seq + 1, 'a part that does not follow was stored', item)
      held.seq += count
      held.hash = hashAfter
    }),
  )

const report = (held: Held, state: SettleReport['state'], finishKey: string): SettleReport =>
  reportOf(held.lease, {
    finishKey,
    state,
    outcome: state === 'succeeded' ? 'done' : 'error',
    errorKind: state === 'succeeded' ? null : 'crashed',
    result: null,
    finalSeq: held.seq,
    finalHash: held.hash,
    startedAt: 1_000,
    firstOutputAt: null,
    finishedAt: 2_000,
  })

export const settle = fc
  .tuple(
    fc.constantFrom('succeeded', 'failed', 'timed_out', 'cancelled'),
    fc.constantFrom(false, false, false, true),
  )
  .chain(([state, otherKey]) =>
    underLease(`settle-${state}${otherKey ? ' under another key' : ''}`, async (world, held) => {
      const key = otherKey ? `other-${held.lease.runId}` : held.finishKey
      const [answer] = await world.statements.settleRuns(
        world.db,
        ofMachine(world.machineId, [report(held, state as SettleReport['state'], key)], { sentAt: 2_500 }),
        { retryBaseMs: 0 },
      )
      const result = answer?.result ?? 'nothing'
      const known = held.answers.get(key)
      if (known === 'settled' || known === 'already')
        ensure(result === 'already', 'the same finish key got another answer', { known, result })
      if (result === 'settled')
        ensure(
          [...held.answers.values()].every((other) => other !== 'settled'),
          'two finishes of one run were accepted',
          { lease: held.lease },
        )
      held.answers.set(key, result)
    }),
  )

export const refuse = fc.tuple(fc.boolean(), fc.constantFrom(0, 60_000)).chain(([final, retryAfterMs]) =>
  underLease(`refuse${final ? '-final' : ''} ${retryAfterMs}`, async (world, { lease }) => {
    const refusal = { ...lease, errorKind: 'workspace' as const, message: 'no', final, retryAfterMs }
    await world.statements.refuseDeliveries(world.db, world.machineId, [refusal])
  }),
)
