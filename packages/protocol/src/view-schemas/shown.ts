import { z } from 'zod'

/**
 * What a schema of an input looks like in an answer: the same fields without bounds, patterns and defaults. What is stored
 * is shown, also when an older version let something in that is refused today.
 */
export function shown<T extends z.ZodType>(schema: T): z.ZodType<z.output<T>> {
  return loosen(schema) as z.ZodType<z.output<T>>
}

/** The same for each field of an object. */
export function shownShape<S extends z.ZodRawShape>(shape: S): { [K in keyof S]: z.ZodType<z.output<S[K]>> } {
  const fields = Object.entries(shape).map(([name, field]) => [name, loosen(field as z.ZodType)])
  return Object.fromEntries(fields) as { [K in keyof S]: z.ZodType<z.output<S[K]>> }
}

function loosen(schema: z.ZodType): z.ZodType {
  const inner = (one: { unwrap(): unknown }) => loosen(one.unwrap() as z.ZodType)
  if (schema instanceof z.ZodObject) return z.object(shownShape(schema.shape))
  if (schema instanceof z.ZodArray) return z.array(loosen(schema.element as z.ZodType))
  if (schema instanceof z.ZodNullable) return inner(schema).nullable()
  if (schema instanceof z.ZodOptional) return inner(schema).optional()
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return inner(schema)
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map((one) => loosen(one as z.ZodType)))
  if (schema instanceof z.ZodPipe) return loosen(schema.in as z.ZodType)
  if (schema instanceof z.ZodString) return z.string()
  if (schema instanceof z.ZodNumber) return z.number()
  return schema
}
