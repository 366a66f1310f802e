import { type DeliveryRules, listJobViews } from '@baton/db'
import { DEFAULT_RULES, type OrganizationId, type RunView } from '@baton/protocol'
import type { ApiContext } from '../api/context.ts'
import { deliveryRules } from './delivery-rules.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

/**
 * The rules for a repetition of a run. It waits for nothing that its job's rules say, but what its job grants to work
 * from outside is granted to the repetition too.
 */
export async function publicRules(ctx: Caller, run: RunView): Promise<DeliveryRules | null> {
  if (run.trust === 'member' || run.job === null) return null
  const [job] = await listJobViews(ctx.connection.db, ctx.principal.organizationId, ctx.config.publicUrl, {
    idOrKey: run.job.id,
  })
  if (!job) return null
  const { trust = null, publicMode = null } = job.rules
  const facts = { payload: null, event: { id: '', source: 'manual' }, job: { key: job.key, name: job.name } }
  const who = { jobId: job.id, agentId: run.agent.id }
  return deliveryRules(who, { ...DEFAULT_RULES, trust, publicMode }, facts)
}
