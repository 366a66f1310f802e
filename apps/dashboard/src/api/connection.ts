import { useSyncExternalStore } from 'react'
import { useApi } from './api-context.ts'

/**
 * connecting → live → offline → catching_up → live.
 * `offline`: the socket is down and what is shown is from `liveUntil`. `catching_up`: the socket is back and the page
 * asks again for everything it shows.
 */
export type ConnectionState = 'connecting' | 'live' | 'catching_up' | 'offline'
export type ConnectionStatus = { state: ConnectionState; liveUntil: number | null }

export type Connection = {
  current: () => ConnectionStatus
  set: (state: ConnectionState) => void
  subscribe: (listener: () => void) => () => void
}

export function createConnection(): Connection {
  let status: ConnectionStatus = { state: 'connecting', liveUntil: null }
  const listeners = new Set<() => void>()
  return {
    current: () => status,
    set(state) {
      if (state === status.state) return
      const liveUntil = status.state === 'live' ? Date.now() : status.liveUntil
      status = { state, liveUntil }
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function useConnection(): ConnectionStatus {
  const { connection } = useApi()
  return useSyncExternalStore(connection.subscribe, connection.current)
}
