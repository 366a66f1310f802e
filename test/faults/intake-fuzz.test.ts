import { expect, test } from 'vitest'
import { makeMutantTree } from './crash/mutant-tree.ts'
import { fuzzIntake } from './intake-fuzz.ts'
import { printSeed } from './support/seed.ts'

printSeed('intake fuzz')

test('of 500 true, changed and broken requests over raw sockets none unsigned is stored, and each 202 is one event', async () => {
  const found = await fuzzIntake({ requests: 500 })
  expect(found.wrong, JSON.stringify(found)).toEqual([])
  expect(found.accepted).toBeGreaterThan(20)
  expect(Object.keys(found.answers).length).toBeGreaterThan(5)
  expect(found.grownMb).toBeLessThan(150)
}, 120_000)

test('a relay that takes a request whatever its signature, the mutant, is found out', async () => {
  using mutant = makeMutantTree([
    {
      file: 'apps/relay/src/inbox/verify-request.ts',
      from: 'if (!verified.ok) return { problem: { ...REFUSALS.signature, detail: verified.message } }',
      to: "if (!verified.ok) return { body: rawBody, bodyHash: createHash('sha256').update(rawBody).digest('hex'), dedupKey: String(Math.random()), verification: { scheme, signedId: false, signedAt: null }, idNamesBody: false }",
    },
  ])
  const found = await fuzzIntake({ requests: 150, root: mutant.root })
  expect(found.wrong.length).toBeGreaterThan(0)
}, 120_000)
