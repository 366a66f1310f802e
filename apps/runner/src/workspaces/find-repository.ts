import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { git, OFFLINE, SAFE_OPTIONS } from './git.ts'

/** A repository as its files lie on this machine. `gitDir` is that of the working tree, `commonDir` holds the objects. */
export type Repository = { root: string; gitDir: string; commonDir: string }

/**
 * The repository that a folder lies in, found by looking for `.git` upwards and never by asking the repository itself: a
 * `core.worktree` that points somewhere else is not followed.
 */
export async function findRepository(folder: string): Promise<Repository | null> {
  for (let root = await realpath(folder); ; root = dirname(root)) {
    const gitDir = await gitDirOf(root)
    if (gitDir !== null) return { root, gitDir, commonDir: await commonDirOf(gitDir) }
    if (dirname(root) === root) return null
  }
}

/** A folder that is itself a git directory, without a working tree. */
export async function findBareRepository(folder: string): Promise<Repository | null> {
  const isBare =
    (await isGitDir(folder)) && (await stat(join(folder, 'objects')).catch(() => null))?.isDirectory()
  return isBare ? { root: folder, gitDir: folder, commonDir: folder } : null
}

async function gitDirOf(root: string): Promise<string | null> {
  const path = join(root, '.git')
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) return (await isGitDir(path)) ? path : null
  if (!found?.isFile() || found.size > 8_192) return null
  const target = /^gitdir: (.+?)\n?$/s.exec(await readFile(path, 'utf8'))?.[1]
  if (target === undefined) return null
  const gitDir = resolve(root, target)
  return (await isGitDir(gitDir)) ? gitDir : null
}

async function isGitDir(path: string): Promise<boolean> {
  return stat(join(path, 'HEAD')).then(
    (found) => found.isFile(),
    () => false,
  )
}

async function commonDirOf(gitDir: string): Promise<string> {
  const text = await readFile(join(gitDir, 'commondir'), 'utf8').catch(() => null)
  return text === null ? gitDir : resolve(gitDir, text.trim())
}

/** The commit that is checked out and its branch (`refs/heads/…`); null for each that there is not. */
export async function readHead(
  repository: Repository,
): Promise<{ commit: string | null; branch: string | null }> {
  const ask = async (...args: string[]) => {
    const options = { cwd: repository.root, env: OFFLINE }
    const answer = await git([...SAFE_OPTIONS, `--git-dir=${repository.gitDir}`, ...args], options)
    return answer.ok ? answer.stdout.toString('utf8').trim() || null : null
  }
  const [commit, branch] = await Promise.all([
    ask('rev-parse', '--verify', '--quiet', 'HEAD'),
    ask('symbolic-ref', '--quiet', 'HEAD'),
  ])
  return { commit, branch }
}

/** Settings of a repository as data, by lower-case name, its own and those of the user; nothing in them is carried out. */
export async function readSettings(
  repository: Repository,
): Promise<{ name: string; value: string; local: boolean }[]> {
  const args = [`--git-dir=${repository.gitDir}`, 'config', '--null', '--show-scope', '--includes', '--list']
  const answer = await git(args, { cwd: repository.root, env: OFFLINE })
  if (!answer.ok) throw new Error(`the settings of ${repository.root} cannot be read: ${answer.stderr}`)
  const parts = answer.stdout.toString('utf8').split('\0')
  const settings = []
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [scope = '', entry = ''] = [parts[at], parts[at + 1]]
    const end = entry.indexOf('\n')
    settings.push({
      name: end === -1 ? entry : entry.slice(0, end),
      value: end === -1 ? 'true' : entry.slice(end + 1),
      local: scope === 'local' || scope === 'worktree',
    })
  }
  return settings
}
