import { ArrowDownToLine, ChevronDown, ChevronUp, Clock, Download, Search, WrapText, X } from 'lucide-react'
import type { RefObject } from 'react'
import { Button, IconButton } from '../../elements/button.tsx'
import { formatCount } from '../../elements/format.ts'

type Toggle = { on: boolean; flip: () => void }
type LogToolbarProps = {
  search: { text: string; onChange: (text: string) => void; field: RefObject<HTMLInputElement | null> }
  /** Which of how many; null while nothing is searched for. */
  found: { at: number; rows: number; count: number } | null
  onFound: (by: 1 | -1) => void
  errors: number
  onError: (by: 1 | -1) => void
  follow: Toggle | null
  wrap: Toggle
  times: Toggle
  download: { busy: boolean; start: () => void }
}

/** Everything that can be done with the log; each has its key on the sheet of shortcuts. */
export function LogToolbar(props: LogToolbarProps) {
  const { search, found, errors } = props
  return (
    <div
      role="toolbar"
      aria-label="Log"
      className="flex flex-wrap items-center gap-x-1 gap-y-1.5 border-b border-line px-2 py-1.5"
    >
      <search className={`flex min-w-0 flex-1 items-center gap-1 ${found ? 'basis-96' : 'basis-44'}`}>
        <label className="relative min-w-28 flex-1">
          <span className="sr-only">Search the loaded lines</span>
          <Search size={15} aria-hidden className="absolute top-1/2 left-2.5 -translate-y-1/2 text-soft" />
          <input
            ref={search.field}
            type="search"
            className="field min-h-8 py-1 pl-8 text-[13px] [&::-webkit-search-cancel-button]:hidden"
            placeholder="Search the log"
            value={search.text}
            onChange={(event) => search.onChange(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') props.onFound(event.shiftKey ? -1 : 1)
              if (event.key === 'Escape') {
                search.onChange('')
                event.currentTarget.blur()
              }
            }}
          />
        </label>
        {found && (
          <>
            <span role="status" className="px-1 text-[13px] whitespace-nowrap text-soft tabular-nums">
              {found.count === 0
                ? 'none'
                : `${formatCount(found.count)} in ${formatCount(found.rows)} ${found.rows === 1 ? 'row' : 'rows'}`}
            </span>
            <Step label="match" disabled={found.rows === 0} onStep={props.onFound} />
            <IconButton
              small
              label="Clear the search"
              icon={<X size={15} aria-hidden />}
              onClick={() => search.onChange('')}
            />
          </>
        )}
      </search>
      {errors > 0 && (
        <div className="flex items-center gap-0.5">
          <span className="px-1 text-[13px] font-medium whitespace-nowrap text-bad">
            ✕ {formatCount(errors)} {errors === 1 ? 'error' : 'errors'}
          </span>
          <Step label="error" disabled={false} onStep={props.onError} />
        </div>
      )}
      <div className="flex items-center gap-0.5">
        <ToggleButton label="Wrap" icon={<WrapText size={15} aria-hidden />} toggle={props.wrap} />
        <ToggleButton label="Times" icon={<Clock size={15} aria-hidden />} toggle={props.times} />
        {props.follow && (
          <ToggleButton
            label="Follow"
            icon={<ArrowDownToLine size={15} aria-hidden />}
            toggle={props.follow}
          />
        )}
        <IconButton
          small
          label="Download the whole transcript"
          disabled={props.download.busy}
          icon={<Download size={15} aria-hidden />}
          onClick={props.download.start}
        />
      </div>
    </div>
  )
}

function Step({
  label,
  disabled,
  onStep,
}: {
  label: string
  disabled: boolean
  onStep: (by: 1 | -1) => void
}) {
  return (
    <>
      <IconButton
        small
        label={`Previous ${label}`}
        disabled={disabled}
        icon={<ChevronUp size={15} aria-hidden />}
        onClick={() => onStep(-1)}
      />
      <IconButton
        small
        label={`Next ${label}`}
        disabled={disabled}
        icon={<ChevronDown size={15} aria-hidden />}
        onClick={() => onStep(1)}
      />
    </>
  )
}

function ToggleButton({ label, icon, toggle }: { label: string; icon: React.ReactNode; toggle: Toggle }) {
  return (
    <Button
      small
      look="bare"
      icon={icon}
      aria-pressed={toggle.on}
      title={label}
      className="aria-pressed:bg-accent-soft aria-pressed:text-accent"
      onClick={toggle.flip}
    >
      <span className="max-sm:sr-only">{label}</span>
    </Button>
  )
}
