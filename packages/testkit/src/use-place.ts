import { beforeEach } from 'vitest'
import { makePlace, type Place } from './make.ts'
import type { DatabaseInUse } from './postgres/use-test-database.ts'

/** A new place for each test of this file. It is the same object all the time, with other ids in it before each test. */
export function usePlace(database: DatabaseInUse): Place {
  const place = {} as Place
  beforeEach(async () => {
    Object.assign(place, await makePlace(database.db))
  })
  return place
}
