import type { ChangedFile, ChangesSummary, RunView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { GitCommitHorizontal } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useApi } from '../../api/api-context.ts'
import { changesQuery } from '../../api/queries.ts'
import { Button } from '../../elements/button.tsx'
import { plural } from '../../elements/format.ts'
import { Failure } from '../../elements/page.tsx'
import { useRowKeys } from '../../shell/use-row-keys.ts'
import { ChangedFileCard, FileCounts } from './changed-file.tsx'
import { LiteralText } from './literal-text.tsx'
import { parseDiff } from './parse-diff.ts'
import { UndoRun } from './undo-run.tsx'

/** Longer ones are shown when they are asked for. */
const OPEN_LINES = 400
/** Of many files only the first ones are open. */
const OPEN_FILES = 20

/** What a run changed in its workspace: the sum, its commits, its files, and of each the diff. */
export function ChangesView({ run, changes }: { run: RunView; changes: ChangesSummary }) {
  const { client } = useApi()
  const answer = useQuery(changesQuery(client, run.id))
  const diffs = useMemo(() => parseDiff(answer.data?.diff ?? ''), [answer.data?.diff])
  const [toggled, setToggled] = useState<Record<string, boolean>>({})
  useRowKeys()
  const isOpen = (file: ChangedFile, at: number) =>
    toggled[file.path] ?? (at < OPEN_FILES && (file.insertions ?? 0) + (file.deletions ?? 0) <= OPEN_LINES)
  const allOpen = changes.files.every((file, at) => isOpen(file, at))
  const setAll = (open: boolean) =>
    setToggled(Object.fromEntries(changes.files.map(({ path }) => [path, open])))
  return (
    <div className="min-h-0 min-w-0 flex-1 space-y-3 lg:overflow-y-auto lg:pr-1">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <Sum changes={changes} />
        <div className="flex flex-wrap gap-2">
          {changes.files.length > 1 && (
            <Button small onClick={() => setAll(!allOpen)}>
              {allOpen ? 'Close all' : 'Open all'}
            </Button>
          )}
          <UndoRun run={run} changes={changes} />
        </div>
      </div>
      {changes.commits.length > 0 && <Commits commits={changes.commits} />}
      {answer.isError ? (
        <Failure error={answer.error} of="the diff" retry={answer.refetch} />
      ) : (
        <ul className="space-y-3" aria-label="Changed files">
          {changes.files.map((file, at) => (
            <ChangedFileCard
              key={file.path}
              file={file}
              diff={diffs.get(file.path) ?? null}
              loading={answer.isPending}
              open={isOpen(file, at)}
              onToggle={() => setToggled((now) => ({ ...now, [file.path]: !isOpen(file, at) }))}
            />
          ))}
        </ul>
      )}
      {changes.filesChanged > changes.files.length && (
        <p className="text-soft">
          {changes.filesChanged - changes.files.length} more files changed; they are not listed.
        </p>
      )}
    </div>
  )
}

function Sum({ changes }: { changes: ChangesSummary }) {
  return (
    <p className="min-w-0 text-[13px] text-soft">
      <span className="font-medium text-ink">{plural(changes.filesChanged, 'file')} changed</span>{' '}
      <FileCounts insertions={changes.insertions} deletions={changes.deletions} />
      {changes.branch !== null && (
        <>
          {' on '}
          <span className="font-mono text-xs break-all">{changes.branch}</span>
        </>
      )}
      {changes.worktree !== null && (
        <>
          {', in the worktree '}
          <span className="font-mono text-xs break-all">{changes.worktree}</span>
        </>
      )}
    </p>
  )
}

function Commits({ commits }: { commits: ChangesSummary['commits'] }) {
  return (
    <ul className="card divide-y divide-line text-[13px]" aria-label="Commits">
      {commits.map(({ id, subject }) => (
        <li key={id} className="flex items-baseline gap-2 px-3 py-1.5">
          <GitCommitHorizontal size={14} aria-hidden className="shrink-0 self-center text-soft" />
          <span className="font-mono text-xs text-soft">{id.slice(0, 10)}</span>
          <span className="min-w-0 break-words">
            <LiteralText text={subject} />
          </span>
        </li>
      ))}
    </ul>
  )
}
