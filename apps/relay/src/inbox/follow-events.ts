import { listEventsAfter } from '@baton/db'
import { type EventId, type EventView, isId, type JobId } from '@baton/protocol'
import type { Caller } from '../api/get-job.ts'

const PAGE = 20
const LOOK_EVERY_MS = 5_000
/** An event with an earlier id may be committed after one with a later id: this long is looked back. */
const LOOK_BACK_MS = 30_000

/**
 * A job's events as they become known, each once, after a cursor or from now on. After a cursor, those of half a minute
 * before it come again, because one of them may have been committed later.
 */
export async function* followEvents(
  ctx: Pick<Caller, 'connection' | 'hints' | 'principal' | 'now'>,
  jobId: JobId,
  cursor: string | null,
  signal: AbortSignal,
): AsyncGenerator<(EventView & { bytes: Buffer })[]> {
  let changed = Promise.withResolvers<void>()
  const wake = () => changed.resolve()
  const stopHearing = [
    ctx.hints.on('change', (key) => {
      if (key.startsWith(`${ctx.principal.organizationId} event `)) wake()
    }),
    ctx.hints.onResync(wake),
  ]
  signal.addEventListener('abort', wake, { once: true })
  const seen = new Set<EventId>()
  let newest = isId('event', cursor) ? timeOf(cursor) : ctx.now()
  let isNews = isId('event', cursor)
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers<void>()
      const page = await listEventsAfter(ctx.connection.db, ctx.principal.organizationId, {
        jobId,
        after: firstIdAt(newest - LOOK_BACK_MS),
        except: [...seen],
        limit: PAGE,
      })
      for (const { id } of page) {
        seen.add(id)
        newest = Math.max(newest, timeOf(id))
      }
      if (isNews && page.length > 0) yield page
      if (page.length === PAGE) continue
      isNews = true
      forgetBefore(seen, newest - LOOK_BACK_MS)
      await within(changed.promise, LOOK_EVERY_MS)
    }
  } finally {
    for (const stop of stopHearing) stop()
    signal.removeEventListener('abort', wake)
  }
}

/** Ids begin with their time in 48 bits. */
const firstIdAt = (ms: number): EventId => `evt_${Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')}`
const timeOf = (id: EventId) => Number.parseInt(id.slice(4, 16), 16)

function forgetBefore(seen: Set<EventId>, ms: number) {
  for (const id of seen) if (timeOf(id) < ms) seen.delete(id)
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
