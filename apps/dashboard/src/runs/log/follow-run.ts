import type { Api } from '../../api/api-context.ts'
import { errorSentence } from '../../api/api-error.ts'
import type { LogStore, StoredEvent } from './log-store.ts'

/** Tail first: a page shows the end of a long log at once and fetches what is older when it is scrolled to. */
export const TAIL_EVENTS = 1_000
const PAGE_EVENTS = 1_000
const POLL_EVERY_MS = 2_000
const RETRY_AFTER_MS = 3_000

/**
 * Fills the store with the last events of a run, then with every new one until it ends or `signal` aborts. The numbers
 * of the events decide: a reconnect repeats nothing, and a gap is fetched before going on. While the socket is down
 * new events are asked for by polling.
 */
export async function followRun(
  api: Api,
  runId: string,
  store: LogStore,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // Each try ends its own subscription, so that a failed one never lives on beside the next.
    const attempt = new AbortController()
    const either = AbortSignal.any([signal, attempt.signal])
    try {
      const { ended } = await loadTail(api, runId, store, either)
      if (!ended) {
        await Promise.race([
          subscribe(api, runId, store, either),
          pollWhileOffline(api, runId, store, either),
        ])
      }
      return
    } catch (error) {
      if (signal.aborted) return
      store.update({ problem: errorSentence(error, 'reading the log') })
    } finally {
      attempt.abort()
    }
    await pause(RETRY_AFTER_MS, signal)
  }
}

/** Loads the page of events before the first that is held. */
export async function loadOlder(api: Api, runId: string, store: LogStore, firstSeq: number): Promise<void> {
  const fromSeq = Math.max(1, firstSeq - PAGE_EVENTS)
  const older: StoredEvent[] = []
  while (fromSeq + older.length < firstSeq) {
    const page = await api.client.runs.transcript.query({
      id: runId,
      fromSeq: fromSeq + older.length,
      limit: firstSeq - fromSeq - older.length,
    })
    if (page.events.length === 0) break
    older.push(...page.events)
  }
  store.prepend(older)
}

async function loadTail(
  api: Api,
  runId: string,
  store: LogStore,
  signal: AbortSignal,
): Promise<{ ended: boolean }> {
  if (store.lastSeq() > 0) return loadMissing(api, runId, store, signal)
  const page = await api.client.runs.transcript.query({ id: runId, tail: TAIL_EVENTS }, { signal })
  store.append(page.events)
  store.update({ loaded: true, problem: null, ended: page.ended })
  return page
}

/** Everything after the last held event, page by page. */
async function loadMissing(
  api: Api,
  runId: string,
  store: LogStore,
  signal: AbortSignal,
): Promise<{ ended: boolean }> {
  for (;;) {
    const fromSeq = store.lastSeq() + 1
    const page = await api.client.runs.transcript.query(
      { id: runId, fromSeq, limit: PAGE_EVENTS },
      { signal },
    )
    store.append(page.events)
    if (page.events.length > 0 && store.lastSeq() < page.lastSeq) continue
    store.update({ loaded: true, problem: null, ended: page.ended })
    return page
  }
}

function subscribe(api: Api, runId: string, store: LogStore, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = api.client.runs.events.subscribe(
      { id: runId, fromSeq: store.lastSeq() + 1 },
      {
        onData({ data }) {
          const missing = store.append(data)
          if (missing !== null) reject(new Error(`event ${missing} is missing`))
          else store.update({ problem: null })
        },
        onError: reject,
        onComplete() {
          store.update({ ended: true })
          resolve()
        },
      },
    )
    const stop = () => {
      subscription.unsubscribe()
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}

async function pollWhileOffline(
  api: Api,
  runId: string,
  store: LogStore,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(POLL_EVERY_MS, signal)
    const { state } = api.connection.current()
    if (signal.aborted || state === 'live' || state === 'catching_up') continue
    // Unreachable both ways: the pill says so, and the next round tries again.
    const page = await loadMissing(api, runId, store, signal).catch(() => null)
    if (page?.ended) return
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
