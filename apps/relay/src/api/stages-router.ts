import { findStageTimes, listMachineViews } from '@baton/db'
import type { StagesView } from '@baton/protocol'
import { stagesView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { found } from './found.ts'
import { getJob } from './get-job.ts'
import { router, userProcedure } from './trpc.ts'

const DAY_MS = 86_400_000
/** The newest ones of the time asked for: what bounds the cost. */
const MOST_RUNS = 5_000

export const stagesRouter = router({
  /** How long each step of the delivery ladder took: of one machine, of one job, or of all. Ids, names and keys. */
  get: userProcedure
    .meta(rest('GET /stages', 'How long each step from event to result took'))
    .input(
      z.strictObject({
        machineId: z.string().max(200).optional(),
        jobId: z.string().max(200).optional(),
        sinceMs: z
          .number()
          .int()
          .min(60_000)
          .max(3_650 * DAY_MS)
          .default(7 * DAY_MS),
      }),
    )
    .output(stagesView)
    .query(async ({ ctx, input }): Promise<StagesView> => {
      const { db } = ctx.connection
      const { organizationId } = ctx.principal
      const machine = input.machineId
        ? found(
            (await listMachineViews(db, organizationId, { idOrName: input.machineId }))[0],
            'machine',
            input.machineId,
          )
        : null
      const job = input.jobId ? await getJob(ctx, input.jobId) : null
      const times = await findStageTimes(db, organizationId, {
        machineId: machine?.id,
        jobId: job?.id,
        sinceMs: input.sinceMs,
        limit: MOST_RUNS,
      })
      return {
        machine: machine && { id: machine.id, name: machine.name },
        job: job && { id: job.id, key: job.key },
        since: times.since.getTime(),
        runs: times.runs,
        isCapped: times.runs === MOST_RUNS,
        stages: times.stages,
      }
    }),
})
