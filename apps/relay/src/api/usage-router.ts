import { sumUsage } from '@baton/db'
import { USAGE_GROUPS, type UsageRow, type UsageTotals, type UsageView } from '@baton/protocol'
import { usageView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { usageDay, usageDays } from '../usage/usage-days.ts'
import { getAgent } from './agents-router.ts'
import { getJob } from './get-job.ts'
import { router, userProcedure } from './trpc.ts'

export const usageRouter = router({
  /** What agents used on days of UTC, in groups. Kept also when the runs themselves are deleted. */
  sum: userProcedure
    .meta(rest('GET /usage', 'What agents used, in groups'))
    .input(
      z.object({
        by: z.enum(USAGE_GROUPS).default('agent'),
        since: usageDay.optional(),
        until: usageDay.optional(),
        agent: z.string().max(200).optional(),
        job: z.string().max(200).optional(),
      }),
    )
    .output(usageView)
    .query(async ({ ctx, input }): Promise<UsageView> => {
      const days = usageDays(input, ctx.now())
      const rows = await sumUsage(ctx.connection.db, ctx.principal.organizationId, {
        by: input.by,
        ...days,
        ...(input.agent !== undefined && { agentId: (await getAgent(ctx, input.agent)).id }),
        ...(input.job !== undefined && { jobId: (await getJob(ctx, input.job)).id }),
      })
      return { by: input.by, ...days, rows, total: totalOf(rows) }
    }),
})

function totalOf(rows: readonly UsageRow[]): UsageTotals {
  const sum = (of: (row: UsageTotals) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    runs: sum((row) => row.runs),
    runsWithoutCost: sum((row) => row.runsWithoutCost),
    inputTokens: sum((row) => row.inputTokens),
    outputTokens: sum((row) => row.outputTokens),
    cachedTokens: sum((row) => row.cachedTokens),
    costUsd: sum((row) => row.costUsd),
  }
}
