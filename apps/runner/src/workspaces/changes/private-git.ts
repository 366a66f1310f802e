import { copyFile, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Repository, readSettings } from '../find-repository.ts'
import { type GitAnswer, type GitOptions, git, gitText, OFFLINE } from '../git.ts'
import type { HashName } from './write-blob.ts'

/**
 * A git directory of the runner's own for one working tree. It sees the objects of the tree's repository, writes its own
 * ones, and has its own index and settings; so nothing that the repository's configuration or attributes name (hooks,
 * filters, textconv, external diff, file system monitors, other work trees, fetches) is ever started, and neither the
 * user's index nor refs change.
 */
export type PrivateGit = {
  folder: string
  root: string
  objects: string
  index: string
  hash: HashName
  /** Throws with git's own words when it fails. One character of the answer is one byte. */
  text(args: readonly string[], options?: Partial<GitOptions>): Promise<string>
  ask(args: readonly string[], options?: Partial<GitOptions>): Promise<GitAnswer>
}

/** Settings of the repository or its owner that say how files are compared; all others count for nothing. */
const COPIED = ['core.autocrlf', 'core.eol', 'core.filemode', 'core.ignorecase', 'core.symlinks'].concat([
  'core.precomposeunicode',
  'core.excludesfile',
])

/**
 * Makes it in an empty folder. Without a repository it is for a plain folder, with objects of its own only. `objects`
 * makes it write elsewhere, for a repository that is the runner's own.
 */
export async function createPrivateGit(
  folder: string,
  root: string,
  repository: Repository | null,
  options: { objects?: string } = {},
): Promise<PrivateGit> {
  const settings = repository ? await readSettings(repository) : []
  const settingOf = (name: string) => settings.findLast((one) => one.name === name)?.value
  const hash: HashName = settingOf('extensions.objectformat') === 'sha256' ? 'sha256' : 'sha1'
  await mkdir(join(folder, 'objects', 'info'), { recursive: true, mode: 0o700 })
  await mkdir(join(folder, 'refs'), { mode: 0o700 })
  await mkdir(join(folder, 'info'), { mode: 0o700 })
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/none\n')
  const copied = COPIED.flatMap((name) => {
    const value = settingOf(name)
    return value === undefined ? [] : [[name.slice('core.'.length), value] as const]
  })
  await writeFile(join(folder, 'config'), configText(hash, copied))
  if (repository) await copyFrom(repository, folder)
  return openPrivateGit(folder, root, hash, options.objects)
}

/** The one that was made before. */
export function openPrivateGit(
  folder: string,
  root: string,
  hash: HashName,
  objects = join(folder, 'objects'),
): PrivateGit {
  const base = [`--git-dir=${folder}`, `--work-tree=${root}`]
  const env = {
    ...OFFLINE,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: '',
  }
  const withEnv = (options?: Partial<GitOptions>): GitOptions => ({
    cwd: root,
    ...options,
    env: { ...env, ...options?.env },
  })
  return {
    folder,
    root,
    objects,
    index: join(folder, 'index'),
    hash,
    text: (args, options) => gitText([...base, ...args], withEnv(options)),
    ask: (args, options) => git([...base, ...args], withEnv(options)),
  }
}

async function copyFrom({ gitDir, commonDir }: Repository, folder: string): Promise<void> {
  await writeFile(join(folder, 'objects', 'info', 'alternates'), `${quoted(join(commonDir, 'objects'))}\n`)
  await copyIfThere(join(commonDir, 'info', 'exclude'), join(folder, 'info', 'exclude'))
  await copyIfThere(join(commonDir, 'shallow'), join(folder, 'shallow'))
  await copyIfThere(join(gitDir, 'index'), join(folder, 'index'))
  for (const name of await readdir(gitDir))
    if (name.startsWith('sharedindex.')) await copyIfThere(join(gitDir, name), join(folder, name))
}

/** With its times: git takes a file that is as new as the index for one that may have changed since. */
async function copyIfThere(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => null)
  if (!found?.isFile()) return
  await copyFile(from, to)
  await utimes(to, found.atimeMs / 1_000, found.mtimeMs / 1_000)
}

function configText(hash: HashName, copied: readonly (readonly [string, string])[]): string {
  const lines = [
    '[core]',
    `repositoryformatversion = ${hash === 'sha256' ? 1 : 0}`,
    'bare = false',
    'fsmonitor = false',
    'untrackedCache = false',
    'hooksPath = /dev/null',
    'logAllRefUpdates = false',
    'quotePath = false',
    ...copied.map(([name, value]) => `${name} = ${quoted(value)}`),
    '[gc]',
    'auto = 0',
    '[diff]',
    'ignoreSubmodules = all',
    ...(hash === 'sha256' ? ['[extensions]', 'objectFormat = sha256'] : []),
  ]
  return `${lines.join('\n')}\n`
}

/** As git reads quoted text, in its settings and in the list of alternates. */
function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `"${escaped.replaceAll('\t', '\\t')}"`
}

/** The list of settings of a private git is read back by nobody; its hash is, to open it again. */
export async function readHashOf(folder: string): Promise<HashName> {
  return (await readFile(join(folder, 'config'), 'utf8')).includes('objectFormat = sha256')
    ? 'sha256'
    : 'sha1'
}
