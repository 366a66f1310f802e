import { useEffect, useState, useSyncExternalStore } from 'react'
import { useApi } from '../../api/api-context.ts'
import { followRun } from './follow-run.ts'
import { calmly, createLogStore, type LogSnapshot, type LogStore } from './log-store.ts'

/** The log of one run, followed for as long as the caller is shown. Give the caller the run's id as its key. */
export function useRunLog(runId: string): { store: LogStore; log: LogSnapshot } {
  const api = useApi()
  const [store] = useState(() => createLogStore(calmly()))
  useEffect(() => {
    const stop = new AbortController()
    void followRun(api, runId, store, stop.signal)
    return () => stop.abort()
  }, [api, runId, store])
  return { store, log: useSyncExternalStore(store.subscribe, store.current) }
}
