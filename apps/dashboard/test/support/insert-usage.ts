import { connect } from '@baton/db'
import type { Place } from './start-place.ts'

/** What the demo agent would have used on each of the last thirty days, had it a model. */
export async function insertUsage(place: Place): Promise<void> {
  const agent = await place.api.agents.get.query({ id: 'demo' })
  const { organization } = await place.api.auth.me.query()
  const connection = connect(place.databaseUrl)
  try {
    const days = Array.from({ length: 30 }, (_, index) => index)
    await connection.db
      .insertInto('usage_days')
      .values(
        days.map((ago) => ({
          organization_id: organization.id,
          day: new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10),
          agent_id: agent.id,
          machine_id: agent.machine.id,
          job_id: null,
          model: 'sonnet',
          runs: 3,
          priced_runs: 3,
          input_tokens: ago % 2 === 0 ? 40_000 : 38_000,
          output_tokens: ago % 2 === 0 ? 2_000 : 4_000,
          cached_tokens: 0,
          cost_usd: ago === 7 ? 0.6 : 0.25,
        })),
      )
      .execute()
  } finally {
    await connection.close()
  }
}
