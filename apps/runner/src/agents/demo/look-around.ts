import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Folders that hold no work of a person. */
const SKIPPED = new Set(['.git', 'node_modules', 'dist', 'build', 'target', '.venv', '.cache'])
const MOST_FILES = 10_000
const MOST_READ_BYTES = 16 * 1024 * 1024
const MOST_FILE_BYTES = 256 * 1024
const BINARY = /\.(png|jpe?g|gif|webp|ico|pdf|zip|gz|tgz|woff2?|wasm|node|so|dylib|exe|mp4|sqlite)$/i

export type GitFacts = { branch: string; commits: string[] }
export type FileFacts = { path: string; bytes: number }

/** The branch and the newest commits, or null where there is no repository or no git. Nothing of the repository runs. */
export async function readGit(folder: string): Promise<GitFacts | null> {
  const git = async (...args: string[]) => {
    const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '--no-pager']
    const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' }
    const { stdout } = await run('git', [...safe, ...args], { cwd: folder, env, timeout: 3_000 })
    return stdout.trim()
  }
  try {
    const branch = (await git('branch', '--show-current')) || 'no branch'
    const log = await git('log', '-5', '--format=%h %s').catch(() => '')
    return { branch, commits: log.split('\n').filter(Boolean) }
  } catch {
    return null
  }
}

/** The files below a folder, nearest first, without those that tools make. Links are not followed. */
export async function listFiles(folder: string): Promise<{ files: FileFacts[]; complete: boolean }> {
  const files: FileFacts[] = []
  const folders = ['']
  for (const below of folders) {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(below, entry.name)
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(path)
      if (!entry.isFile()) continue
      if (files.length === MOST_FILES) return { files, complete: false }
      const bytes = await stat(join(folder, path)).then(
        (one) => one.size,
        () => null,
      )
      if (bytes !== null) files.push({ path, bytes })
    }
  }
  return { files, complete: true }
}

export function countTypes(files: readonly FileFacts[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { path } of files) {
    const type = extname(path) || '(none)'
    counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8)
}

export const biggest = (files: readonly FileFacts[]) =>
  [...files].sort((a, b) => b.bytes - a.bytes).slice(0, 5)

/** Where TODO and FIXME stand: how many, and the first few. */
export async function findTodos(
  folder: string,
  files: readonly FileFacts[],
): Promise<{ count: number; first: string[] }> {
  let budget = MOST_READ_BYTES
  let count = 0
  const first: string[] = []
  for (const { path, bytes } of files) {
    if (bytes > MOST_FILE_BYTES || bytes > budget || BINARY.test(path)) continue
    budget -= bytes
    const text = await readFile(join(folder, path), 'utf8').catch(() => '')
    for (const [at, line] of text.split('\n').entries()) {
      if (!/\b(TODO|FIXME)\b/.test(line)) continue
      count += 1
      if (first.length < 5) first.push(`${path}:${at + 1}: ${line.trim().slice(0, 120)}`)
    }
  }
  return { count, first }
}

/** The first heading of the README, if there is one. */
export async function readTitle(folder: string, files: readonly FileFacts[]): Promise<string | null> {
  const readme = files.find(({ path }) => /^readme(\.\w+)?$/i.test(path))
  if (readme === undefined) return null
  const text = await readFile(join(folder, readme.path), 'utf8').catch(() => '')
  return /^#\s+(.+)$/m.exec(text)?.[1]?.trim() ?? null
}
