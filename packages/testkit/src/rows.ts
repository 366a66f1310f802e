import type { Db } from '@baton/db'

/** The row of a delivery as it is stored. */
export const deliveryRow = (db: Db, id: string) =>
  db
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id as never)
    .executeTakeFirstOrThrow()

/** The row of a run as it is stored. */
export const runRow = (db: Db, id: string) =>
  db
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', id as never)
    .executeTakeFirstOrThrow()
