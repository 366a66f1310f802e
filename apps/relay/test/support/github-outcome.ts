import { sql } from '@baton/db'
import { eventually } from '@baton/testkit'
import { expect } from 'vitest'
import type { GithubPlace } from './github-place.ts'

/** What became of an event that GitHub sends: its state, its reason, and how many deliveries it made. */
export async function outcomeOf(place: GithubPlace, event: string, payload: object) {
  const answer = await place.post(event, payload)
  expect(answer.status).toBe(202)
  const { eventId } = (await answer.json()) as { eventId: string }
  return eventually(
    async () => {
      const { rows } = await sql<{
        state: string
        reason: string | null
        reason_message: string | null
        n: number
      }>`
        select state, reason, reason_message, (select count(*)::int from deliveries where event_id = events.id) as n
        from events where id = ${eventId} and state <> 'accepted'`.execute(place.db.db)
      const [row] = rows
      expect(row).toBeDefined()
      return row as NonNullable<typeof row>
    },
    { timeoutMs: 20_000 },
  )
}
