import { getOrganization, updateOrganization } from '@baton/db'
import { BatonError, type OrganizationView, retentionSchema } from '@baton/protocol'
import { organizationView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { name } from './inputs.ts'
import type { Principal } from './principal.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

type Caller = ApiContext & { principal: Extract<Principal, { kind: 'user' }> }

/** For what concerns the organization as a whole: owners and admins. */
export const adminProcedure = memberProcedure.use(({ next, ctx }) => {
  const { role } = ctx.principal
  if (role !== 'owner' && role !== 'admin') {
    throw new BatonError(
      'forbidden',
      'Only owners and admins of the organization can do this; ask one of them.',
    )
  }
  return next({ ctx })
})

/** For what takes all of an organization's data out or puts it in. */
export const ownerProcedure = memberProcedure.use(({ next, ctx }) => {
  if (ctx.principal.role !== 'owner') {
    throw new BatonError('forbidden', 'Only an owner of the organization can do this; ask one of them.')
  }
  return next({ ctx })
})

export const organizationRouter = router({
  get: userProcedure
    .meta(rest('GET /organization', 'The organization and how long it keeps what is finished'))
    .output(organizationView)
    .query(({ ctx }) => viewOf(ctx)),

  update: adminProcedure
    .meta(rest('PATCH /organization', 'Change the organization'))
    .input(z.strictObject({ name: name.optional(), retention: retentionSchema.partial().optional() }))
    .output(organizationView)
    .mutation(async ({ ctx, input }) => {
      const { organizationId } = ctx.principal
      const isThere = await updateOrganization(ctx.connection.db, organizationId, {
        name: input.name,
        retention: input.retention as { runs?: number; days?: number } | undefined,
        ifVersion: ctx.ifVersion,
      })
      found(isThere || null, 'organization', organizationId)
      return viewOf(ctx)
    }),
})

async function viewOf(ctx: Caller): Promise<OrganizationView> {
  const row = await getOrganization(ctx.connection.db, ctx.principal.organizationId)
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    retention: { runs: row.keep_runs, days: row.keep_days },
  }
}
