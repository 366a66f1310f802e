import { databaseNow, findTriggerTarget, listSimulatedEvents } from '@baton/db'
import type { SimulatedEvent, SimulationView } from '@baton/protocol'
import { simulationView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { payloadOf } from '../inbox/payload-of.ts'
import { eventFacts } from '../jobs/event-facts.ts'
import { whyFiltered, whyNotFired } from '../jobs/plan-event.ts'
import { rest } from '../rest/rest-place.ts'
import { scheduleOf } from '../schedules/slots-of.ts'
import { getJob } from './get-job.ts'
import { byId } from './inputs.ts'
import { rehearsalProcedures } from './rehearsal-procedures.ts'
import { userProcedure } from './trpc.ts'

const DAY_MS = 86_400_000
const SIMULATED = 500
const SLOTS = 100

/** Trying a job without running it. Nothing here stores anything. */
export const trialProcedures = {
  ...rehearsalProcedures,

  /** Which of the events of the last days this job would take as it is now, and why not the others. */
  simulate: userProcedure
    .meta(rest('GET /jobs/{id}/simulation', 'Which events of the last days a job would take as it is now'))
    .input(byId.extend({ days: z.number().min(0.01).max(7).default(7) }))
    .output(simulationView)
    .query(async ({ ctx, input }): Promise<SimulationView> => {
      const { db } = ctx.connection
      const job = await getJob(ctx, input.id)
      const now = await databaseNow(db)
      const since = new Date(now.getTime() - input.days * DAY_MS)
      const rows = await listSimulatedEvents(db, ctx.principal.organizationId, {
        jobId: job.id,
        since,
        limit: SIMULATED + 1,
      })
      const targets = new Map(
        await Promise.all(
          job.triggers.map(
            async ({ id }) => [id, await findTriggerTarget(db, ctx.principal.organizationId, id)] as const,
          ),
        ),
      )
      const events = rows.slice(0, SIMULATED).map((row): SimulatedEvent => {
        const payload = payloadOf(row.body, row.content_type)
        const facts = eventFacts({ ...row, payload }, job)
        const target = row.trigger_id && targets.get(row.trigger_id)
        const why = !target
          ? GONE
          : (whyNotFired({ ...target, disabled: false }, row.source) ??
            whyFiltered(target, facts, row).ignored)
        return {
          id: row.id,
          source: row.source,
          receivedAt: row.received_at.getTime(),
          fires: why === null,
          reason: why?.reason ?? null,
          message: why?.message ?? null,
          fired: row.fired,
        }
      })
      return {
        since: since.getTime(),
        events,
        isCapped: rows.length > SIMULATED,
        fires: events.filter((event) => event.fires).length,
        slots: [...targets.values()].flatMap((target) => (target ? slotsSince(target, since, now) : [])),
      }
    }),
}

const GONE = { reason: 'no_job' as const, message: 'The trigger that it came for was removed.' }

function slotsSince(
  target: NonNullable<Awaited<ReturnType<typeof findTriggerTarget>>>,
  since: Date,
  now: Date,
): SimulationView['slots'] {
  if (target.kind !== 'cron' && target.kind !== 'interval') return []
  const { slots } = scheduleOf({ ...target, trigger_created_at: minDate(target.trigger_created_at, since) })
  const times: number[] = []
  for (let at = slots.after(since); at !== null && at <= now && times.length <= 10_080; at = slots.after(at))
    times.push(at.getTime())
  return [
    {
      triggerId: target.trigger_id,
      count: times.length,
      isCapped: times.length > 10_080,
      newest: times.slice(-SLOTS).toReversed(),
    },
  ]
}

const minDate = (one: Date, other: Date) => (one < other ? one : other)
