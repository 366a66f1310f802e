import { z } from 'zod'

/**
 * The answers of the API as schemas: what REST and /api/openapi.json show. The types in views.ts are what people read;
 * each schema is compared with its type when it is compiled. Only the relay needs them, so they have an entry of their own.
 */
export * from './view-schemas/inbox.ts'
export * from './view-schemas/jobs.ts'
export * from './view-schemas/machines.ts'
export * from './view-schemas/organization.ts'
export * from './view-schemas/outputs.ts'
export * from './view-schemas/runs.ts'

/** One page of a list; `nextCursor` is the `cursor` of the next one. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })
