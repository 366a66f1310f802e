import { type ChangedFile, DIFF_BYTES, MOST_CHANGED_FILES } from '@baton/protocol'
import { type BytePath, toText } from './byte-path.ts'
import type { PrivateGit } from './private-git.ts'
import type { Snapshot } from './take-snapshot.ts'

export type Comparison = {
  files: ChangedFile[]
  filesChanged: number
  insertions: number
  deletions: number
  diff: string
  diffCut: boolean
  /** Nothing of what changed was too large to be kept. */
  isWhole: boolean
}

/** What the list of files may weigh on the wire, beside the diff and the result of the run. */
const LIST_BYTES = 96 * 1024
/** More of a diff is not read: it would not be kept. */
const READ_BYTES = 4 * DIFF_BYTES
const OPTIONS = ['-r', '-z', '-M', '-l400', '--no-ext-diff', '--no-textconv', '--ignore-submodules=all']

/** What differs between two snapshots of one working tree: content, not what was committed of it. */
export async function compareSnapshots(
  git: PrivateGit,
  before: Snapshot,
  after: Snapshot,
  signal?: AbortSignal,
): Promise<Comparison> {
  const ask = (...args: string[]) =>
    git.text(['diff-tree', ...OPTIONS, ...args, before.tree, after.tree], signal ? { signal } : {})
  const isSame = before.tree === after.tree
  const [raw, counts, text] = isSame
    ? ['', '', { diff: '', cut: false }]
    : await Promise.all([ask('--raw'), ask('--numstat'), readDiff(git, before, after, signal)])
  const lines = readCounts(counts)
  const large = await unkeptChanges(git, before, after)
  const known = new Set(large.map((file) => file.path))
  const kept = readRaw(raw).filter(({ path }) => !known.has(toText(path)))
  const files = [...kept.map((file) => toChangedFile(file, lines)), ...large].toSorted((one, other) =>
    one.path < other.path ? -1 : 1,
  )
  const sum = (name: 'insertions' | 'deletions') => files.reduce((all, file) => all + (file[name] ?? 0), 0)
  return {
    files: listThatFits(files),
    filesChanged: files.length,
    insertions: sum('insertions'),
    deletions: sum('deletions'),
    diff: text.diff,
    diffCut: text.cut || large.length > 0,
    isWhole: large.length === 0,
  }
}

export type RawChange = {
  status: string
  path: BytePath
  from: BytePath | null
  before: { mode: string; id: string }
  after: { mode: string; id: string }
}

/** The answer of `diff-tree --raw -z`: `:mode mode id id status NUL path NUL`, with two paths for a rename. */
export function readRaw(text: string): RawChange[] {
  const parts = text.split('\0')
  const changes: RawChange[] = []
  for (let at = 0; at < parts.length; ) {
    const match = /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])/.exec(parts[at] ?? '')
    if (!match) break
    const [, oldMode = '', newMode = '', oldId = '', newId = '', status = ''] = match
    const isPair = status === 'R' || status === 'C'
    const [first = '', second = ''] = [parts[at + 1], parts[at + 2]]
    changes.push({
      status,
      path: isPair ? second : first,
      from: isPair ? first : null,
      before: { mode: oldMode, id: oldId },
      after: { mode: newMode, id: newId },
    })
    at += isPair ? 3 : 2
  }
  return changes
}

/** `added TAB deleted TAB path NUL`; `-` for what is not text; of a rename the paths come after an empty one. */
function readCounts(text: string): Map<BytePath, { insertions: number | null; deletions: number | null }> {
  const parts = text.split('\0')
  const counts = new Map<BytePath, { insertions: number | null; deletions: number | null }>()
  for (let at = 0; at < parts.length; at += 1) {
    const match = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(parts[at] ?? '')
    if (!match) continue
    const [, added = '', deleted = '', name = ''] = match
    const path = name === '' ? (parts[at + 2] ?? '') : name
    if (name === '') at += 2
    const number = (word: string) => (word === '-' ? null : Number(word))
    counts.set(path, { insertions: number(added), deletions: number(deleted) })
  }
  return counts
}

const KINDS: Record<string, ChangedFile['kind']> = { A: 'added', D: 'deleted', R: 'renamed', C: 'added' }

function toChangedFile({ status, path, from }: RawChange, lines: ReturnType<typeof readCounts>): ChangedFile {
  const count = lines.get(path) ?? { insertions: null, deletions: null }
  return {
    path: toText(path),
    kind: KINDS[status] ?? 'modified',
    ...count,
    from: status === 'R' && from !== null ? toText(from) : null,
  }
}

/** Files of which only size and time are known. */
async function unkeptChanges(git: PrivateGit, before: Snapshot, after: Snapshot): Promise<ChangedFile[]> {
  const paths = new Set([...Object.keys(before.unkept), ...Object.keys(after.unkept)])
  const isNew = Object.keys(after.unkept).some((path) => before.unkept[path] === undefined)
  const names = isNew ? await git.text(['ls-tree', '-r', '-z', '--name-only', before.tree]) : ''
  const inTree = new Set(names.split('\0'))
  return [...paths].flatMap((path): ChangedFile[] => {
    const [was, is] = [before.unkept[path], after.unkept[path]]
    if (was === is) return []
    const isAdded = was === undefined && !inTree.has(path)
    const kind = isAdded ? 'added' : is === undefined ? 'deleted' : 'modified'
    return [{ path: toText(path), kind, insertions: null, deletions: null, from: null }]
  })
}

async function readDiff(git: PrivateGit, before: Snapshot, after: Snapshot, signal?: AbortSignal) {
  const args = ['diff-tree', '-r', '-p', '-M', '-l400', '--no-ext-diff', '--no-textconv', '--no-color']
  args.push('--ignore-submodules=all', '--src-prefix=a/', '--dst-prefix=b/', before.tree, after.tree)
  const answer = await git.ask(args, { maxBytes: READ_BYTES, ...(signal ? { signal } : {}) })
  if (!answer.ok && !answer.cut) throw new Error(`the diff could not be made: ${answer.stderr}`)
  const text = answer.stdout.toString('utf8').replaceAll('\0', '\uFFFD')
  return cutAtFiles(text, DIFF_BYTES, answer.cut)
}

/**
 * Keeps whole files only, as many as fit when counted as JSON. `isBeginning`: the text was cut already, so that its last
 * file counts as too long. A line of content never begins like a header, because its first character is a blank, + or -.
 */
export function cutAtFiles(
  text: string,
  maxBytes: number,
  isBeginning: boolean,
): { diff: string; cut: boolean } {
  const files = text.split(/^(?=diff --git )/m).filter((file) => file !== '')
  if (isBeginning) files.pop()
  let bytes = 0
  const kept = files.filter((file) => {
    const size = Buffer.byteLength(JSON.stringify(file)) - 2
    if (bytes + size > maxBytes) return false
    bytes += size
    return true
  })
  return { diff: kept.join(''), cut: isBeginning || kept.length < files.length }
}

function listThatFits(files: ChangedFile[]): ChangedFile[] {
  let bytes = 0
  const fits = files.slice(0, MOST_CHANGED_FILES).findIndex((file) => {
    bytes += Buffer.byteLength(JSON.stringify(file))
    return bytes > LIST_BYTES
  })
  return files.slice(0, fits === -1 ? MOST_CHANGED_FILES : fits)
}
