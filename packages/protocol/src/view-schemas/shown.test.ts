import { expect, test } from 'vitest'
import { z } from 'zod'
import { shown } from './shown.ts'

test('an answer shows what is stored, also what would be refused today', () => {
  const input = z.strictObject({
    name: z.string().min(3).default('none'),
    limit: z.number().int().max(10).nullable(),
    tags: z.array(z.string().regex(/^x/)).max(1).optional(),
    kind: z.enum(['a', 'b']),
    of: z.discriminatedUnion('type', [z.object({ type: z.literal('one'), count: z.number().min(5) })]),
  })
  const stored = { name: 'x', limit: 99.5, tags: ['y', 'z'], kind: 'a', of: { type: 'one', count: 1 } }
  expect(input.safeParse(stored).success).toBe(false)
  expect(shown(input).parse(stored)).toEqual(stored)
  expect(shown(input).safeParse({ ...stored, kind: 'c' }).success).toBe(false)
})
