import type { ChangedFile, RunChanges } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import type { Style } from './style.ts'
import { shortId, table } from './text.ts'

/** `baton runs diff`: what a run changed in its workspace. Exit 0 also when it changed nothing. */
export async function showDiff(
  session: Session,
  [id = '']: string[],
  options: { stat?: boolean; nameOnly?: boolean },
): Promise<void> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const changes = await baton.runs.changes(run.id)
  session.print(changes, () => {
    if (!changes) return ''
    if (options.nameOnly) return changes.files.map(({ path }) => printable(path)).join('\n')
    const parts = [statText(changes, session.out)]
    if (!options.stat && changes.diff !== '') parts.push(diffText(changes.diff, session.out))
    return parts.join('\n\n')
  })
  if (!changes) {
    const why =
      run.ladder.finishedAt === null ? 'The run has not ended yet.' : 'Nobody could tell what it changed.'
    return session.note(why)
  }
  const hidden = changes.filesChanged - changes.files.length
  if (hidden > 0) session.note(`${hidden} more files changed than are listed.`)
  if (changes.diffCut && !options.stat && !options.nameOnly)
    session.note(
      `The diff is not whole: what was too long is left out.${changes.headCommit && changes.baseCommit ? ` On ${printable(run.machine.name)}: git diff ${changes.baseCommit.slice(0, 12)} ${changes.headCommit.slice(0, 12)}` : ''}`,
    )
}

/** A longer diff is not shown after a run, only its files. */
const SHORT_LINES = 60
const LISTED_FILES = 20

/** What `baton run` shows below the result: the files, the diff when it is short, and where the whole of it is. */
export function endText(changes: RunChanges, runId: string, style: Style): string {
  const { files, diff } = changes
  const isShort = !changes.diffCut && diff !== '' && diff.trimEnd().split('\n').length <= SHORT_LINES
  const more = files.length - LISTED_FILES
  const listed = statText({ ...changes, files: files.slice(0, LISTED_FILES) }, style)
  const next = [
    ...(isShort ? [] : [`The diff: baton runs diff ${shortId(runId)}`]),
    ...(changes.worktree !== null && changes.branch !== null
      ? [`Take it over: git merge ${printable(changes.branch)}`]
      : []),
    ...(changes.undoable ? [`Put it back: baton runs undo ${shortId(runId)}`] : []),
  ]
  return [
    ...(isShort ? [`${diffText(diff, style)}\n`] : []),
    listed,
    ...(more > 0 ? [`${more} more files are not listed here.`] : []),
    ...(next.length > 0 ? [style('dim', next.join(' · '))] : []),
  ].join('\n')
}

const MARKS: Record<ChangedFile['kind'], [string, 'green' | 'yellow' | 'red' | 'cyan']> = {
  added: ['A', 'green'],
  modified: ['M', 'yellow'],
  deleted: ['D', 'red'],
  renamed: ['R', 'cyan'],
}

/** The list of files with their lines, the commits, and the sum. */
export function statText(changes: Omit<RunChanges, 'diff'>, style: Style): string {
  const rows = changes.files.map(({ path, from, kind, insertions, deletions }) => {
    const [mark, colour] = MARKS[kind]
    const lines = insertions === null && deletions === null ? style('dim', 'not text') : ''
    return [
      style(colour, mark),
      insertions ? style('green', `+${insertions}`) : '',
      deletions ? style('red', `-${deletions}`) : lines,
      from === null ? printable(path) : `${printable(from)} → ${printable(path)}`,
    ]
  })
  const files = table(['', '', '', ''], rows, style).split('\n').slice(1)
  const commits = changes.commits.map(
    ({ id, subject }) => `${style('yellow', id.slice(0, 10))} ${printable(subject)}`,
  )
  return [...files, ...commits, sumLine(changes, style)].join('\n')
}

export function sumLine(changes: Omit<RunChanges, 'diff'>, style: Style): string {
  const { filesChanged, insertions, deletions, branch, commits } = changes
  if (filesChanged + commits.length === 0) return 'It changed nothing in its workspace.'
  const parts = [`${filesChanged} ${filesChanged === 1 ? 'file' : 'files'} changed`]
  if (insertions > 0) parts.push(style('green', `+${insertions}`))
  if (deletions > 0) parts.push(style('red', `-${deletions}`))
  if (commits.length > 0) parts.push(`${commits.length} ${commits.length === 1 ? 'commit' : 'commits'}`)
  if (branch !== null) parts.push(`on ${printable(branch)}`)
  return parts.join(' · ')
}

function diffText(diff: string, style: Style): string {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      const shown = printable(line)
      if (
        /^(diff --git|index|new file|deleted file|old mode|new mode|similarity|rename|---|\+\+\+) ?/.test(
          line,
        )
      )
        return style('bold', shown)
      if (line.startsWith('@@')) return style('cyan', shown)
      if (line.startsWith('+')) return style('green', shown)
      return line.startsWith('-') ? style('red', shown) : shown
    })
    .join('\n')
}
