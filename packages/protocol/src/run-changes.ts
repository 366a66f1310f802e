import { z } from 'zod'
import { freeText } from './free-text.ts'
import { runId, type UndoId, undoId } from './ids.ts'

/** The longest diff that is kept of a run, counted as it goes over the wire. */
export const DIFF_BYTES = 256 * 1024
export const MOST_CHANGED_FILES = 2_000
export const MOST_COMMITS = 200

export const CHANGE_KINDS = ['added', 'modified', 'deleted', 'renamed'] as const
/** Lines are null for a file that is not text, or whose content was not kept. */
export const changedFile = z.object({
  path: freeText(4_096),
  kind: z.enum(CHANGE_KINDS),
  insertions: z.number().int().nonnegative().nullable(),
  deletions: z.number().int().nonnegative().nullable(),
  /** Where a renamed file was before. */
  from: freeText(4_096).nullable().default(null),
})
export type ChangedFile = z.infer<typeof changedFile>

/** What a run changed in its workspace. Paths are relative to `repository`, the root of what was compared. */
export const runChanges = z.object({
  repository: freeText(4_096),
  /** Both null where the workspace is no git repository. */
  baseCommit: freeText(64).nullable(),
  headCommit: freeText(64).nullable(),
  branch: freeText(300).nullable(),
  /** Where the run's own worktree is, while it is kept. */
  worktree: freeText(4_096).nullable(),
  commits: z.array(z.object({ id: freeText(64), subject: freeText(500) })).max(MOST_COMMITS),
  files: z.array(changedFile).max(MOST_CHANGED_FILES),
  /** All of them, also those beyond the list. */
  filesChanged: z.number().int().nonnegative(),
  insertions: z.number().int().nonnegative(),
  deletions: z.number().int().nonnegative(),
  /** A unified diff, cut at a file's boundary when it is too long. */
  diff: freeText(DIFF_BYTES),
  diffCut: z.boolean(),
  /** The machine keeps what is needed to put the workspace back to before the run. */
  undoable: z.boolean().default(false),
})
export type RunChanges = z.infer<typeof runChanges>
/** Without the diff, which is read alone. */
export type ChangesSummary = Omit<RunChanges, 'diff'>

export const UNDO_KINDS = ['undo', 'redo'] as const
export type UndoKind = (typeof UNDO_KINDS)[number]

/** Put the workspace of a finished run back to before it, or (`redo`) take that back. A dry run changes nothing. */
export const undoOrder = z.object({ id: undoId, runId, kind: z.enum(UNDO_KINDS), dryRun: z.boolean() })
export type UndoOrder = z.infer<typeof undoOrder>

/** What came of it. It is all or nothing: one blocked file refuses the whole. */
export const undoReport = z.object({
  id: undoId,
  state: z.enum(['done', 'refused']),
  message: freeText(2_000),
  /** Paths that were put back, or would be. */
  files: z.array(freeText(4_096)).max(MOST_CHANGED_FILES),
  /** Files that stand in the way, each with why. */
  blocked: z.array(z.object({ path: freeText(4_096), why: freeText(300) })).max(MOST_CHANGED_FILES),
})
export type UndoReport = z.infer<typeof undoReport>

export type UndoView = Omit<UndoReport, 'state' | 'message'> & {
  id: UndoId
  runId: UndoOrder['runId']
  kind: UndoKind
  dryRun: boolean
  state: 'asked' | UndoReport['state']
  /** null while it is asked: its machine has not answered. */
  message: string | null
  askedAt: number
  settledAt: number | null
}
