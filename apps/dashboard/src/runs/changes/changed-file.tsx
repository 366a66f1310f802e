import type { ChangedFile } from '@baton/protocol'
import { ChevronRight } from 'lucide-react'
import { useId } from 'react'
import { formatCount } from '../../elements/format.ts'
import { LiteralText } from './literal-text.tsx'
import type { DiffLine, FileDiff } from './parse-diff.ts'

const KINDS: Record<ChangedFile['kind'], { letter: string; look: string }> = {
  added: { letter: 'A', look: 'text-good' },
  modified: { letter: 'M', look: 'text-warn' },
  deleted: { letter: 'D', look: 'text-bad' },
  renamed: { letter: 'R', look: 'text-accent' },
}

type CardProps = {
  file: ChangedFile
  /** null: it is not in the diff that is kept. */
  diff: FileDiff | null
  loading: boolean
  open: boolean
  onToggle: () => void
}

/** One changed file: its name and counts, and below them, when it is open, its diff. */
export function ChangedFileCard({ file, diff, loading, open, onToggle }: CardProps) {
  const id = useId()
  return (
    <li className="card overflow-clip">
      <button
        type="button"
        data-row
        aria-expanded={open}
        aria-controls={id}
        onClick={onToggle}
        className="sticky top-0 z-1 flex min-h-10 w-full items-center gap-2 bg-card px-3 py-1.5 text-left hover:bg-hover"
      >
        <ChevronRight size={15} aria-hidden className={`shrink-0 text-soft ${open ? 'rotate-90' : ''}`} />
        <span className={`w-4 shrink-0 text-center font-mono text-xs font-semibold ${KINDS[file.kind].look}`}>
          <span aria-hidden>{KINDS[file.kind].letter}</span>
          <span className="sr-only">{file.kind}</span>
        </span>
        <span className="min-w-0 flex-1 font-mono text-[13px] break-all">
          {file.from !== null && (
            <span className="text-soft">
              <LiteralText text={file.from} />
              {' → '}
            </span>
          )}
          <LiteralText text={file.path} />
        </span>
        <FileCounts insertions={file.insertions} deletions={file.deletions} />
      </button>
      {open && (
        <div id={id} className="border-t border-line">
          <FileContent file={file} diff={diff} loading={loading} />
        </div>
      )}
    </li>
  )
}

/** Lines that came and went; nothing for a file that is not text. */
export function FileCounts({ insertions, deletions }: Pick<ChangedFile, 'insertions' | 'deletions'>) {
  if (insertions === null && deletions === null) return <span className="text-xs text-soft">not text</span>
  return (
    <span className="shrink-0 font-mono text-xs whitespace-nowrap tabular-nums">
      {insertions ? <span className="text-good">+{formatCount(insertions)}</span> : null}
      {insertions && deletions ? ' ' : null}
      {deletions ? <span className="text-bad">−{formatCount(deletions)}</span> : null}
    </span>
  )
}

function FileContent({
  file,
  diff,
  loading,
}: {
  file: ChangedFile
  diff: FileDiff | null
  loading: boolean
}) {
  if (loading) return <Note text="Loading…" />
  if (diff === null)
    return <Note text="Its diff is not shown: it was too long to be kept, or its content was too large." />
  if (diff.binary) return <Note text="It is not text." />
  if (diff.hunks.length === 0)
    return (
      <Note
        text={
          file.kind === 'renamed'
            ? 'Renamed, with the same content.'
            : 'Its content is the same or empty; its mode changed.'
        }
      />
    )
  return (
    <section
      aria-label={`Diff of ${file.path}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      tabIndex={0}
      className="overflow-x-auto focus-visible:-outline-offset-2"
    >
      <table className="w-full border-collapse font-mono text-[12.5px] leading-5">
        {diff.hunks.map((hunk, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the hunks of a stored diff never move.
          <tbody key={at}>
            <tr className="bg-sunk text-soft">
              <td colSpan={4} className="px-3 py-0.5 whitespace-pre">
                <span aria-hidden>⋯ </span>
                <LiteralText text={hunk.heading} />
              </td>
            </tr>
            {hunk.lines.map((line, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above.
              <Line key={place} line={line} />
            ))}
          </tbody>
        ))}
      </table>
    </section>
  )
}

const LOOKS: Record<DiffLine['kind'], { row: string; sign: string; said: string | null }> = {
  added: { row: 'bg-good-soft', sign: '+', said: 'added: ' },
  removed: { row: 'bg-bad-soft', sign: '−', said: 'removed: ' },
  same: { row: '', sign: ' ', said: null },
  note: { row: 'text-soft italic', sign: ' ', said: null },
}

function Line({ line }: { line: DiffLine }) {
  const { row, sign, said } = LOOKS[line.kind]
  return (
    <tr className={row}>
      <LineNumber value={line.before} className="max-sm:hidden" />
      <LineNumber value={line.after} className="" />
      <td aria-hidden className="w-5 pl-2 text-center select-none">
        {sign}
      </td>
      <td className="pr-3 pl-1 whitespace-pre">
        {said && <span className="sr-only">{said}</span>}
        <LiteralText text={line.text} />
      </td>
    </tr>
  )
}

function LineNumber({ value, className }: { value: number | null; className: string }) {
  return (
    <td className={`w-10 min-w-10 pl-2 text-right text-soft tabular-nums select-none ${className}`}>
      {value}
    </td>
  )
}

function Note({ text }: { text: string }) {
  return <p className="px-3 py-2 text-[13px] text-soft">{text}</p>
}
