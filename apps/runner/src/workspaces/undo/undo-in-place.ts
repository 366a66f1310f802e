import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MOST_CHANGED_FILES, type RunId, type UndoKind, type UndoReport } from '@baton/protocol'
import { toText } from '../changes/byte-path.ts'
import { changesFiles, type Moment, openRecordGit, readRecord } from '../changes/record-changes.ts'
import { planFiles } from './plan-undo.ts'
import { putFiles } from './put-files.ts'
import { headProblem, putHead } from './put-head.ts'
import { putIndex } from './put-index.ts'

export type UndoResult = Omit<UndoReport, 'id'>

/**
 * Puts a folder back to before a run, or (`redo`) forward to after it: the files that the run changed, its branch and what
 * it staged, and nothing else. All or nothing: where anything was changed since, nothing is done and the answer lists it.
 * Doing it again, also after a crash in the middle, ends in the same state.
 *
 * The caller sees to it that no run works in the folder meanwhile.
 */
export async function undoInPlace(
  folder: string,
  runId: RunId,
  kind: UndoKind,
  dryRun: boolean,
): Promise<UndoResult> {
  const record = await readRecord(folder)
  if (!record?.after)
    return refused('This machine keeps nothing of that run any more: copies go after 14 days or 50 runs.')
  const { before, after } = record
  const [from, to]: [Moment, Moment] = kind === 'undo' ? [after, before] : [before, after]
  if (!(await stat(before.root).catch(() => null))) return refused(`${before.root} does not exist any more.`)
  const git = openRecordGit(folder, before)
  const { repository } = before
  const plan = await planFiles(git, from.snapshot.tree, to.snapshot.tree)
  const blocked = [...plan.blocked]
  if (repository) {
    const problem = await headProblem(repository, from, to)
    if (problem) blocked.push(problem)
    if (await isLocked(repository.gitDir))
      blocked.push({ path: '.git/index.lock', why: 'git is at work there, or was killed' })
  }
  const files = plan.put.map(({ path }) => toText(path)).slice(0, MOST_CHANGED_FILES)
  if (blocked.length > 0) {
    const message =
      'Nothing was put back: some of it was changed since. Mend what is listed, or do it by hand.'
    return { state: 'refused', message, files: [], blocked: blocked.slice(0, MOST_CHANGED_FILES) }
  }
  const what = `${plan.put.length} ${plan.put.length === 1 ? 'file' : 'files'}`
  const isMoved = repository !== null && from.commit !== to.commit
  const keepRef = `refs/baton/undo/${runId}`
  const commits = isMoved && kind === 'undo' ? ` The commits stay reachable as ${keepRef}.` : ''
  if (dryRun) return done(`Would put back ${what}${isMoved ? ' and the branch' : ''}.${commits}`, files)
  await putFiles(git, plan.put)
  if (repository) {
    await putHead(repository, from, to, kind === 'undo' ? keepRef : null)
    const { indexBefore, indexAfter } = changesFiles(folder)
    const [was, will] = kind === 'undo' ? [indexAfter, indexBefore] : [indexBefore, indexAfter]
    const paths = new Set(plan.put.map(({ path }) => path))
    await putIndex(git, repository.gitDir, was, will, paths)
  }
  return done(
    `${kind === 'undo' ? 'Put back' : 'Brought back'} ${what}${isMoved ? ' and the branch' : ''}.${commits}`,
    files,
  )
}

const isLocked = (gitDir: string) =>
  stat(join(gitDir, 'index.lock')).then(
    () => true,
    () => false,
  )

const done = (message: string, files: string[]): UndoResult => ({
  state: 'done',
  message,
  files,
  blocked: [],
})

export function refused(message: string): UndoResult {
  return { state: 'refused', message, files: [], blocked: [] }
}
