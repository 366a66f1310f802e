import { useLocation } from '@tanstack/react-router'
import { ArrowDown } from 'lucide-react'
import { useMemo, useRef, useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../elements/button.tsx'
import { Problem } from '../../elements/dialog.tsx'
import { formatCount } from '../../elements/format.ts'
import { useShortcuts } from '../../shell/shortcuts.ts'
import { downloadTranscript } from './download-transcript.ts'
import { LogRows } from './log-rows.tsx'
import { LogToolbar } from './log-toolbar.tsx'
import { PlanStrip } from './plan-strip.tsx'
import { useLinkedRow } from './use-linked-row.ts'
import { useLiveSummary } from './use-live-summary.ts'
import { useLogScroll } from './use-log-scroll.ts'
import { useLogSearch } from './use-log-search.ts'
import { useRunLog } from './use-run-log.ts'

const PHONE = 640

/** The live log of one run. Give it the run's id as its key. */
export function LogView({ runId, waiting }: { runId: string; waiting: string }) {
  const { store, log } = useRunLog(runId)
  const [text, setText] = useState('')
  const [wrap, setWrap] = useState(true)
  const [times, setTimes] = useState(() => window.innerWidth > 2 * PHONE)
  const [cursor, setCursor] = useState<number | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const found = useLogSearch(log.rows, text)
  const { errors } = log
  const scroll = useLogScroll(runId, store, log)
  const linked = useLinkedRow(useLocation({ select: ({ hash }) => hash }), log, scroll)
  const summary = useLiveSummary(log.rows, !log.ended)
  const download = useAction('downloading the transcript', (api, id: string) => downloadTranscript(api, id))

  const stepIn = (rows: readonly number[]) => (by: 1 | -1) => {
    const next = nextOf(rows, cursor ?? scroll.firstVisible(), by)
    if (next === null) return
    setCursor(next)
    scroll.show(next)
  }
  const stepFound = stepIn(found?.rows ?? [])
  const stepError = stepIn(errors)
  useShortcuts({
    '/': () => field.current?.focus(),
    f: () => scroll.setFollow(!scroll.follow),
    w: () => setWrap(!wrap),
    t: () => setTimes(!times),
    n: () => stepError(1),
    p: () => stepError(-1),
    G: scroll.jumpToEnd,
  })
  const find = found === null ? '' : text.toLowerCase()
  const currentKey = cursor === null ? undefined : log.rows[cursor]?.key
  const marks = useMemo(() => ({ linked, found: currentKey }), [linked, currentKey])
  return (
    <section aria-label="Log" className="card flex min-h-0 flex-1 flex-col overflow-hidden">
      <LogToolbar
        search={{
          text,
          field,
          onChange(value) {
            setText(value)
            setCursor(null)
          },
        }}
        found={found && { at: cursor ?? 0, rows: found.rows.length, count: found.count }}
        onFound={stepFound}
        errors={errors.length}
        onError={stepError}
        follow={log.ended ? null : { on: scroll.follow, flip: () => scroll.setFollow(!scroll.follow) }}
        wrap={{ on: wrap, flip: () => setWrap(!wrap) }}
        times={{ on: times, flip: () => setTimes(!times) }}
        download={{ busy: download.busy, start: () => download.start(runId) }}
      />
      {(log.problem || download.problem) && (
        <div className="p-2">
          <Problem text={log.problem ?? download.problem} />
        </div>
      )}
      <PlanStrip rows={log.rows} live={!log.ended} />
      <div className="relative min-h-0 flex-1">
        <LogRows
          log={log}
          scroll={scroll}
          find={find}
          wrap={wrap}
          times={times}
          marks={marks}
          foundOpen={found !== null && cursor !== null}
        />
        {log.rows.length === 0 && (
          <p className="absolute inset-0 grid place-items-center p-6 text-center text-soft">
            {!log.loaded ? 'Loading the log…' : log.ended ? 'This run left no output.' : waiting}
          </p>
        )}
        {!scroll.atEnd && log.rows.length > 0 && (
          <Button
            look="main"
            small
            className="absolute right-4 bottom-3 shadow-lg"
            icon={<ArrowDown size={14} aria-hidden />}
            onClick={scroll.jumpToEnd}
          >
            {log.ended ? 'End' : 'Latest'}
          </Button>
        )}
      </div>
      <LogFoot log={log} />
      <p role="status" className="sr-only">
        {summary}
      </p>
    </section>
  )
}

function LogFoot({ log }: { log: ReturnType<typeof useRunLog>['log'] }) {
  if (log.rows.length === 0) return null
  const held = log.lastSeq - log.firstSeq + 1
  return (
    <p className="flex justify-between gap-4 border-t border-line px-3 py-1 text-xs text-soft tabular-nums">
      <span>
        {formatCount(log.rows.length)} rows
        {log.firstSeq > 1 &&
          ` · events ${formatCount(log.firstSeq)} to ${formatCount(log.lastSeq)}, ${formatCount(held)} loaded`}
      </span>
      <span>{log.ended ? 'ended' : 'following'}</span>
    </p>
  )
}

/** The next of these rows after (or before) where the reader is; from the last it goes to the first. */
function nextOf(rows: readonly number[], from: number, by: 1 | -1): number | null {
  if (rows.length === 0) return null
  const next = by === 1 ? rows.find((row) => row > from) : rows.findLast((row) => row < from)
  return next ?? (by === 1 ? rows[0] : rows.at(-1)) ?? null
}
