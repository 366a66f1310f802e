import { useTestDatabase } from '@baton/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allSteps } from './model/commands.ts'
import { mutant, realStatements, type Statements, unusedPatches } from './model/statements.ts'
import { makeWorld } from './model/world.ts'
import { printSeed, seed } from './support/seed.ts'

printSeed('model')

const database = useTestDatabase()

/** fast-check's default size hides faults here: a missing fence lived through 500 runs of it. */
function check(
  statements: Statements,
  numRuns: number,
  { seen = new Map<string, number>(), shrink = true } = {},
): Promise<void> {
  const property = fc.asyncProperty(
    fc.noBias(fc.commands(allSteps, { size: 'max', maxCommands: 60 })),
    async (commands) => {
      await fc.asyncModelRun(async () => {
        const world = await makeWorld(database.db, statements, seen)
        return { model: world, real: world }
      }, commands)
    },
  )
  return fc.assert(property, {
    seed,
    numRuns,
    endOnFailure: !shrink,
    ...(process.env.FC_PATH && { path: process.env.FC_PATH }),
    timeout: 60_000,
  })
}

test('no order of statements, late, repeated or of an older lease, breaks an invariant', async () => {
  const seen = new Map<string, number>()
  await check(realStatements, Number(process.env.MODEL_RUNS ?? 150), { seen })
  if (process.env.MODEL_REPORT) console.log(Object.fromEntries(seen))
  for (const name of [
    'ingest',
    'lease',
    'known',
    'accept',
    'start',
    'renew',
    'append-next',
    'settle-succeeded',
    'refuse',
    'cancel',
    'sweep',
    'lose',
  ])
    expect(seen.get(name) ?? 0, `the model never did: ${name}`).toBeGreaterThan(0)
})

const mutants: [string, Statements][] = [
  [
    'settling does not look at the fence',
    mutant('settleRuns', [
      ['and fence is not distinct from told.fence', ''],
      ['k.own_fence = k.fence or', 'true or'],
    ]),
  ],
  [
    'starting does not look at the fence',
    mutant('startRuns', [['locked.own_fence = locked.fence and locked.own_run = locked.run_id', 'true']]),
  ],
  [
    'a repeat is stored again',
    mutant('insertEvents', [['e.dedup_scope, e.dedup_key,', 'e.dedup_scope, e.dedup_key || e.id,']]),
  ],
  [
    'a sweep ignores that the agent was running',
    mutant('sweepDeliveries', [["when d.state = 'running' then 'stalled'", "when false then 'stalled'"]]),
  ],
  [
    'a finish counts after a cancel',
    mutant('settleRuns', [["and k.own_state in ('pending', 'leased', 'running', 'stalled', 'parked')", '']]),
  ],
  [
    'an agent is given more than it may have',
    mutant('leaseDeliveries', [
      ['a.max_concurrent - (select count(*) from live where live.agent_id = a.id)', 'a.max_concurrent'],
    ]),
  ],
  [
    'what lapsed comes back to life where there is no room',
    mutant('renewLeases', [
      ['select from deliveries o where o.id <> d.id', 'select from deliveries o where false'],
      ['a.max_concurrent <= (', 'a.max_concurrent < 0 and 0 <= ('],
    ]),
  ],
  ['an old session leases', mutant('leaseDeliveries', [['and exists (select from session)', '']])],
  [
    'a delivery that is known is leased whatever became of it',
    mutant('leaseKnown', [["and state = 'pending' and attempt = 0", '']]),
  ],
  [
    'a part that does not follow is stored',
    mutant('appendRunEvents', [['and r.last_seq = a.from_seq - 1 and r.last_hash = a.hash_before', '']]),
  ],
]
/** The rest takes minutes and runs in `npm run test:faults`. */
const quick = [
  'a delivery that is known is leased whatever became of it',
  'a repeat is stored again',
  'a finish counts after a cancel',
  'an old session leases',
  'a part that does not follow is stored',
  'an agent is given more than it may have',
  'settling does not look at the fence',
]
const chosen = process.env.FAULTS === 'large' ? mutants : mutants.filter(([name]) => quick.includes(name))

test.each(chosen)('the model finds the mutant: %s', { timeout: 600_000 }, async (_, statements) => {
  await expect(check(statements, 10_000, { shrink: false })).rejects.toThrow(/Property failed/)
  expect(unusedPatches(statements), 'the patch fits nowhere any more').toEqual([])
})
