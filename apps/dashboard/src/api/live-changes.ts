import type { Change } from '@baton/protocol'
import type { Query } from '@tanstack/react-query'
import { useEffect } from 'react'
import { type Api, useApi } from './api-context.ts'
import { isSignedOut } from './api-error.ts'
import { meQuery, type QueryMeta } from './queries.ts'

/** A burst of changes asks for each list again at most this often. */
const ASK_AGAIN_EVERY_MS = 300
const RESUBSCRIBE_AFTER_MS = 3_000

/** Keeps everything on screen fresh through one subscription, for as long as the caller is shown. */
export function useLiveChanges(): void {
  const api = useApi()
  useEffect(() => followChanges(api), [api])
}

/**
 * Hints only say "look again": each one marks the questions it touches as old, and those on screen are asked again. A
 * reconnect may have missed hints, so it marks all of them. Returns the function that ends it.
 */
export function followChanges(api: Api): () => void {
  const stale = new Set<Change['kind'] | 'all'>()
  let asking = false
  let ended = false
  let retry: ReturnType<typeof setTimeout> | undefined
  let subscription = subscribe()

  function subscribe() {
    return api.client.live.changes.subscribe(
      {},
      {
        onConnectionStateChange({ state, error }) {
          if (state === 'connecting' && error) api.connection.set('offline')
        },
        onStarted() {
          // At first the pages are asking anyway; after a loss what they show may be old until they have asked again.
          api.connection.set(api.connection.current().state === 'connecting' ? 'live' : 'catching_up')
          lookAgain(['all'])
        },
        onData: ({ data }) => lookAgain(data.map((change: Change) => change.kind)),
        onError: endedByRelay,
        onComplete: endedByRelay,
      },
    )
  }

  function endedByRelay(error?: unknown) {
    if (ended) return
    api.connection.set('offline')
    if (isSignedOut(error)) void api.queryClient.invalidateQueries(meQuery(api.client))
    retry = setTimeout(() => {
      subscription = subscribe()
    }, RESUBSCRIBE_AFTER_MS)
  }

  function lookAgain(kinds: (Change['kind'] | 'all')[]) {
    for (const kind of kinds) stale.add(kind)
    if (!asking) void askAgain()
  }

  async function askAgain() {
    asking = true
    while (stale.size > 0 && !ended) {
      const kinds = new Set(stale)
      stale.clear()
      const pause = new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_EVERY_MS))
      await api.queryClient.invalidateQueries({ predicate: (query) => isTouched(query, kinds) })
      if (kinds.has('all') && !ended) api.connection.set('live')
      await pause
    }
    asking = false
  }

  return () => {
    ended = true
    clearTimeout(retry)
    subscription.unsubscribe()
  }
}

function isTouched(query: Query, kinds: Set<Change['kind'] | 'all'>): boolean {
  const changedBy = (query.meta as QueryMeta | undefined)?.changedBy
  if (changedBy === undefined) return false
  return kinds.has('all') || changedBy.some((kind) => kinds.has(kind))
}
