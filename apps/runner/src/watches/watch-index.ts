import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile } from '../journal/open-record-file.ts'
import { changedBetween, fileMark, LOOKED_AT_FILES, type Look, lookAtFolder } from './look-at-folder.ts'

export type FileMarks = readonly (readonly [path: string, mark: string | null])[]

/**
 * How the files of a watched folder were when they were told of last, on the machine's disk: so a runner finds at its start
 * what changed while none was there. A line for the folder, then one for each file; the last one of a file counts.
 */
export type WatchIndex = {
  /** What has changed since. Nothing of a folder that is new here, and nothing can be said of one with too many files. */
  compare(): Promise<{ paths: string[]; isWhole: boolean }>
  /** How files are now. Asked before they are looked into, so that what changes afterwards counts as a change. */
  marks(paths: readonly string[]): Promise<FileMarks>
  /** These have been told of. */
  note(marks: FileMarks): Promise<void>
  /** All has been told of, as far as anybody knows what. */
  renew(): Promise<void>
}

/** Lines that are outdated are taken out when they are so many times as many as files. */
const MOST_LINES_PER_FILE = 2

/** What the files of an index were chosen by: with another choice nothing is known of those that were left out. */
type Choice = { folder: string; globs: readonly string[]; ignore: readonly string[] }
type Head = Choice & { isWhole: boolean }

export function createWatchIndex(
  file: string,
  { folder, globs, ignore }: Choice,
  isIgnored: (path: string) => boolean,
): WatchIndex {
  let isKept = false
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work, work)
    turn = next.catch(() => undefined)
    return next
  }

  async function write(look: Look, isWhole: boolean) {
    const head: Head = { folder, globs, ignore, isWhole }
    const lines = [head, ...(isWhole ? look : [])].map((line) => `${JSON.stringify(line)}\n`)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const opened = await replaceFile(file, Buffer.from(lines.join('')))
    await opened.close()
    isKept = isWhole
  }

  async function compare() {
    const before = await readIndex(file)
    const { look, isWhole } = await lookAtFolder(folder, isIgnored)
    const choice = JSON.stringify([folder, globs, ignore])
    const isSame = JSON.stringify([before?.folder, before?.globs, before?.ignore]) === choice
    if (before === null || !isSame || !before.isWhole || !isWhole) {
      await write(look, isWhole)
      return { paths: [], isWhole }
    }
    isKept = true
    const paths = changedBetween(before.look, look)
    if (paths.length === 0 && before.lines > MOST_LINES_PER_FILE * look.size) await write(look, isWhole)
    return { paths, isWhole }
  }

  return {
    compare: () => inTurn(compare),
    marks: (paths) =>
      Promise.all(paths.map(async (path) => [path, await fileMark(join(folder, path))] as const)),
    note: (marks) =>
      inTurn(async () => {
        if (isKept && marks.length > 0)
          await appendFile(file, marks.map((mark) => `${JSON.stringify(mark)}\n`).join(''))
      }),
    renew: () =>
      inTurn(async () => {
        const { look, isWhole } = await lookAtFolder(folder, isIgnored)
        await write(look, isWhole)
      }),
  }
}

/** Said to the log of a machine, once for each start. */
export const tooManyFiles = (folder: string) =>
  new Error(
    `${folder} has more than ${LOOKED_AT_FILES} files: what changes there while no runner runs is not noticed.`,
  )

/** A file that is not there or whose head cannot be read is none; a line that a killed runner left unfinished is skipped. */
async function readIndex(file: string): Promise<(Head & { look: Look; lines: number }) | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const [first = '', ...lines] = text.split('\n')
  const head = parse<Head>(first)
  if (head === null) return null
  const look: Look = new Map()
  for (const line of lines) {
    const entry = parse<[string, string | null]>(line)
    if (entry?.[1]) look.set(...(entry as [string, string]))
    else if (entry) look.delete(entry[0])
  }
  return { ...head, look, lines: lines.length }
}

function parse<T>(line: string): T | null {
  try {
    return JSON.parse(line) as T
  } catch {
    return null
  }
}
