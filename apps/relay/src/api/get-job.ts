import { listJobViews, updateJob } from '@baton/db'
import type { JobId, JobView, OrganizationId } from '@baton/protocol'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'

export type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

/** The caller's job with this id or key. */
export async function getJob(ctx: Caller, idOrKey: string): Promise<JobView> {
  const [job] = await listJobViews(ctx.connection.db, ctx.principal.organizationId, ctx.config.publicUrl, {
    idOrKey,
  })
  return found(job, 'job', idOrKey)
}

export async function changeJob(
  ctx: Caller,
  id: JobId,
  change: Parameters<typeof updateJob>[3],
): Promise<JobView> {
  const { db } = ctx.connection
  const isThere = await updateJob(db, ctx.principal.organizationId, id, {
    ...change,
    ifVersion: ctx.ifVersion,
  })
  found(isThere || null, 'job', id)
  jobChanged(ctx, id)
  return getJob(ctx, id)
}

/** What is remembered of jobs and triggers is read again, here, on other relays and on screens. */
export function jobChanged(ctx: Caller, id: JobId): void {
  ctx.targets.forget()
  ctx.hints.send('config', id)
  ctx.changes.tell(ctx.principal.organizationId, 'job', id)
}
