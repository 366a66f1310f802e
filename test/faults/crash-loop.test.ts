import { expect, test } from 'vitest'
import { showFindings } from './crash/check.ts'
import { makeMutantTree } from './crash/mutant-tree.ts'
import { type CrashLoopOptions, runCrashLoop } from './crash-loop.ts'
import { printSeed } from './support/seed.ts'

printSeed('crash loop')
const small = { deliveries: 600, kills: 15, restarts: 1, overMs: 5_000, drainMs: 30_000 }
const forMutants: CrashLoopOptions = { deliveries: 600, kills: 20, restarts: 3, overMs: 5_000, drainMs: 0 }
const isLarge = process.env.FAULTS === 'large'

test('600 webhooks through 15 kills and a crash of Postgres: none is lost, none is done or told twice', async () => {
  const findings = await runCrashLoop(small)
  const nothing = Object.fromEntries(Object.keys(findings.zero).map((name) => [name, 0]))
  expect(findings.zero, showFindings(findings)).toEqual(nothing)
  expect(findings.acknowledged).toBe(small.deliveries)
  expect(findings.executedTwice).toBeLessThanOrEqual(small.deliveries * 0.03)
})

/** The mutants take as long as the real one, so they run in `npm run test:faults`. */
if (isLarge) {
  test('a relay that answers 202 before the commit is found out', async () => {
    using mutant = makeMutantTree([
      {
        file: 'apps/relay/src/inbox/receive-hook.ts',
        from: 'return { event, answer: await intake.accept(event) }',
        to: 'intake.accept(event).catch(() => {}); return { event, answer: { eventId: event.id, bodyHash: event.bodyHash, deliveries: event.deliveries } }',
      },
    ])
    const { zero } = await runCrashLoop({ ...forMutants, root: mutant.root })
    expect(zero.lost).toBeGreaterThan(0)
  })

  test('a relay that takes every finish, whatever its fence and key, is found out', async () => {
    const file = 'packages/db/src/deliveries/settle.ts'
    using mutant = makeMutantTree([
      { file, from: 'and k.known_key is null', to: '' },
      { file, from: "and k.known_state in ('starting', 'running', 'lost')", to: '' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of the file.
      { file, from: '(k.own_fence = k.fence or ${isInNobodysHands})', to: 'true' },
      { file, from: "and k.own_state in ('pending', 'leased', 'running', 'stalled', 'parked')", to: '' },
      { file, from: 'when known_key = "finishKey" then \'already\'', to: '' },
      { file, from: "when known_key is not null then 'superseded'", to: '' },
    ])
    const { zero } = await runCrashLoop({ ...forMutants, root: mutant.root })
    expect(zero.doubleAcked).toBeGreaterThan(0)
  })
}
