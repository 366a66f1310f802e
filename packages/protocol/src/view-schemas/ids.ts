import { z } from 'zod'
import { ID_PREFIXES, type Id, type IdKind } from '../ids.ts'

/** An id in an answer. (Those of `ids.ts` check what comes in and have no JSON Schema.) */
export function shownId<K extends IdKind>(kind: K): z.ZodType<Id<K>> {
  const prefix = ID_PREFIXES[kind]
  const schema: z.ZodType = z.templateLiteral([`${prefix}_`, z.string()])
  return schema.meta({ description: `${prefix}_ and 32 hexadecimal digits.` }) as z.ZodType<Id<K>>
}

/** ms since 1970. */
export const time = z.number().meta({ description: 'Milliseconds since 1970, by the clock of the database.' })
export const word = z.string()
export const text = z.string()
export const count = z.number()
