import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useApi } from '../../api/api-context.ts'
import { errorSentence } from '../../api/api-error.ts'
import { loadOlder } from './follow-run.ts'
import type { LogSnapshot, LogStore } from './log-store.ts'

const ROW_HEIGHT = 20
/** Nearer to the end than this counts as being there. */
const END_PX = 40
/** Older events are fetched when the reader comes this near to the first loaded row. */
const LOAD_WITHIN_ROWS = 60

export type LogScroll = {
  frame: React.RefObject<HTMLElement | null>
  virtualizer: Virtualizer<HTMLElement, Element>
  onScroll: () => void
  follow: boolean
  setFollow: (follow: boolean) => void
  atEnd: boolean
  loadingOlder: boolean
  /** Why there is more above that is not loaded; null while it is loaded by scrolling. */
  fullAbove: boolean
  show: (index: number) => void
  jumpToEnd: () => void
  firstVisible: () => number
  loadOlder: () => void
}

/** Where the reader is in the log: at its end and following, or somewhere above, where new lines move nothing. */
export function useLogScroll(runId: string, store: LogStore, log: LogSnapshot): LogScroll {
  const api = useApi()
  const frame = useRef<HTMLElement>(null)
  const lastTop = useRef(0)
  const loading = useRef(false)
  const [follow, setFollowing] = useState(() => !window.location.hash.startsWith('#L'))
  const [atEnd, setAtEnd] = useState(true)
  const [loadingOlder, setLoadingOlder] = useState(false)
  const { rows } = log
  // The same function while the rows are the same: a new one makes the virtualizer measure all rows afresh.
  const getItemKey = useCallback((index: number) => rows[index]?.key ?? index, [rows])
  const virtualizer = useVirtualizer<HTMLElement, Element>({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey,
    overscan: 20,
    anchorTo: 'end',
    followOnAppend: follow,
    scrollEndThreshold: END_PX,
  })

  const jumpToEnd = () => {
    setFollowing(true)
    virtualizer.scrollToEnd()
  }

  const older = () => {
    const { firstSeq } = store.current()
    if (loading.current || firstSeq <= 1 || !store.hasRoom()) return
    loading.current = true
    setLoadingOlder(true)
    loadOlder(api, runId, store, firstSeq)
      .catch((error: unknown) => store.update({ problem: errorSentence(error, 'loading older lines') }))
      .finally(() => {
        loading.current = false
        setLoadingOlder(false)
      })
  }

  const onScroll = () => {
    const element = frame.current
    if (element === null) return
    const end = element.scrollHeight - element.scrollTop - element.clientHeight <= END_PX
    setAtEnd(end)
    // Only a person scrolls up; new lines and measured heights only ever move the end down.
    const up = element.scrollTop < lastTop.current - 2
    if (up && !end) setFollowing(false)
    else if (end) setFollowing(true)
    lastTop.current = element.scrollTop
    if (up && (virtualizer.range?.startIndex ?? LOAD_WITHIN_ROWS) < LOAD_WITHIN_ROWS) older()
  }

  // The first lines that come are shown from their end.
  const shown = rows.length > 0
  useEffect(() => {
    if (shown && follow) virtualizer.scrollToEnd()
  }, [shown, follow, virtualizer])

  return {
    frame,
    virtualizer,
    onScroll,
    follow,
    setFollow: (on) => (on ? jumpToEnd() : setFollowing(false)),
    atEnd,
    loadingOlder,
    fullAbove: log.firstSeq > 1 && !store.hasRoom(),
    show(index) {
      setFollowing(false)
      virtualizer.scrollToIndex(index, { align: 'center' })
    },
    jumpToEnd,
    firstVisible: () => virtualizer.range?.startIndex ?? 0,
    loadOlder: older,
  }
}
