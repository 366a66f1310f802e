import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../../..')

/** Every file that git tracks and that is there, by its path from the root. */
export const trackedFiles: readonly string[] = execFileSync('git', ['ls-files', '-z'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && isThere(file))

export function isThere(path: string): boolean {
  return existsSync(join(root, path))
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The text documents: what is at the root and in docs/. */
export const documents = trackedFiles.filter((file) => /^([A-Z]+\.md|docs\/.*\.md)$/.test(file))

/** Files of code that people write, tests among them; recordings and generated files are not. */
export const codeFiles = trackedFiles.filter(
  (file) => /\.(ts|tsx|mjs|js|css|sql)$/.test(file) && !/(^|\/)fixtures\/|(^|\/)schema\.sql$/.test(file),
)

export const isTest = (file: string) => /\.test\.tsx?$|(^|\/)(test|testkit|dev)\//.test(file)

/** The rows of the first table below a heading, each as its cells. */
export function tableBelow(markdown: string, heading: string): string[][] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`There is no heading "${heading}".`)
  const first = lines.findIndex((line, at) => at > start && line.startsWith('|'))
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'))
  return lines.slice(first + 2, end === -1 ? undefined : end).map(cellsOf)
}

export function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

export const unquoted = (cell: string | undefined) => (cell ?? '').replaceAll('`', '')

/** In one order, whatever the order they came in. */
export function inOrder(words: Iterable<string | null | undefined>): string[] {
  return [...words].map(String).toSorted()
}
