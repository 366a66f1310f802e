import { useEffect } from 'react'
import { useApi } from './api-context.ts'
import { useConnection } from './connection.ts'

const POLL_EVERY_MS = 5_000

/** Where WebSockets are blocked the pages still move: while the socket is down everything shown is asked again. */
export function usePollWhileOffline(): void {
  const { queryClient } = useApi()
  const { state } = useConnection()
  const down = state === 'offline' || state === 'connecting'
  useEffect(() => {
    if (!down) return
    const timer = setInterval(() => {
      void queryClient.invalidateQueries({ predicate: (query) => query.meta?.changedBy !== undefined })
    }, POLL_EVERY_MS)
    return () => clearInterval(timer)
  }, [down, queryClient])
}
