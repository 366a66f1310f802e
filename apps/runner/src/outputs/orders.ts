import type { MachineOrder, OrderReport } from '@baton/protocol'
import { createPollLoop, type Logger } from '@baton/service'
import type { Policy } from '../config/policy.ts'
import type { Read } from '../config/profile.ts'
import { untilAnswered, type Writes } from '../runs/until-answered.ts'
import type { OrderRecords } from './order-records.ts'
import { type OutputPlaces, resolveOutputPath } from './resolve-output-path.ts'
import { writeOnce } from './write-once.ts'

export type OrdersContext = {
  policy: () => Promise<Read<Policy>>
  places: Omit<OutputPlaces, 'policy'>
  records: OrderRecords
  report: (report: OrderReport) => Promise<unknown>
  writes: Writes
  logger: Logger
  /** How often old records are looked for. Default: hourly. */
  pruneEveryMs?: number
}

export type Orders = {
  receive(orders: readonly MachineOrder[]): void
  start(): Promise<void>
  /** Waits for what is being carried out; a report that has no answer is given again when the order comes again. */
  stop(): Promise<void>
}

const PRUNE_EVERY_MS = 3_600_000

/**
 * Carries out the outputs that belong to this machine, one after the other, each id once, and reports each until the
 * relay has answered.
 */
export function createOrders(context: OrdersContext): Orders {
  const stopping = new AbortController()
  const inHand = new Set<string>()
  let queue: Promise<void> = Promise.resolve()

  async function carryOut(order: MachineOrder) {
    const report = await work(order).catch((error: Error & { final?: boolean }): OrderReport => {
      context.logger.warn({ error, dispatch: order.id }, 'An output could not be written.')
      return toReport(order, error.final === true ? 'failed' : 'retry', error.message)
    })
    // The next order does not wait for this one's report.
    void untilAnswered(context.writes, stopping.signal, () => context.report(report))
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          context.logger.warn({ error, dispatch: order.id }, 'An output was not reported.')
      })
      .finally(() => inHand.delete(order.id))
  }

  async function work(order: MachineOrder): Promise<OrderReport> {
    if (order.kind === 'stdout') return say(order)
    const policy = await context.policy()
    if (!policy.ok)
      return toReport(
        order,
        'retry',
        `policy.json of this machine cannot be read: ${policy.problems.join('; ')}`,
      )
    const place = await resolveOutputPath(order.path ?? '', order.workspace, {
      ...context.places,
      policy: policy.value,
    })
    if ('problem' in place) return toReport(order, 'failed', place.problem)
    return { ...toReport(order, 'sent', null), path: await writeOnce(order, place, context.records) }
  }

  async function say(order: MachineOrder): Promise<OrderReport> {
    const known = await context.records.read(order.id)
    if (known === null) {
      context.logger.info({ dispatch: order.id, runId: order.runId }, order.content)
      await context.records.write(order.id, { state: 'done', path: null })
    }
    return toReport(order, 'sent', null)
  }

  /** A runner may run for months: what it remembers goes while it runs, too. */
  const pruning = createPollLoop({
    everyMs: context.pruneEveryMs ?? PRUNE_EVERY_MS,
    jitter: 0.1,
    run: () => context.records.prune(Date.now()),
    onError: (error) => context.logger.warn({ error }, 'Old records of outputs could not be removed.'),
  })

  return {
    receive(orders) {
      for (const order of orders) {
        if (inHand.has(order.id) || stopping.signal.aborted) continue
        inHand.add(order.id)
        queue = queue.then(() => carryOut(order))
      }
    },
    start: () => pruning.start(),
    async stop() {
      stopping.abort()
      await pruning.stop()
      await queue
    },
  }
}

const toReport = (
  { id, claim }: MachineOrder,
  result: OrderReport['result'],
  why: string | null,
): OrderReport => ({
  id,
  claim,
  result,
  why,
  path: null,
})
