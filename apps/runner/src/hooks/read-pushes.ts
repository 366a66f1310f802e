import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { GitPush } from '@baton/protocol'
import type { HookName } from './hook-config.ts'
import { runGit } from './run-git.ts'

type Commit = GitPush['push']['commits'][number]

const BRANCH = 'refs/heads/'
const NOTHING = /^0+$/
const COMMITS = 50

/**
 * The branches that a hook was told about, as git writes them: for pre-push `<local ref> <local id> <remote ref> <remote
 * id>`, for post-receive `<old id> <new id> <ref>`. Deleted branches, tags and lines that are neither are left out.
 */
export function readPushes(hook: HookName, input: string): { ref: string; before: string; after: string }[] {
  return input.split('\n').flatMap((line) => {
    const words = line.trim().split(' ')
    const [before, after, ref] =
      hook === 'pre-push' ? [words[3], words[1], words[2]] : [words[0], words[1], words[2]]
    if (!ref?.startsWith(BRANCH) || !isId(before) || !isId(after) || NOTHING.test(after)) return []
    return [{ ref, before, after }]
  })
}

const isId = (text: string | undefined): text is string => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text ?? '')

/** What a prompt can name of one push. */
export async function describePush(
  repository: string,
  hook: HookName,
  push: { ref: string; before: string; after: string },
  remote: string | null,
): Promise<GitPush> {
  const top = await runGit(repository, ['rev-parse', '--path-format=absolute', '--git-common-dir'])
  const folder = top.trim().replace(/\/\.git$/, '')
  return {
    push: {
      ...push,
      hook,
      branch: push.ref.slice(BRANCH.length),
      commits: await listCommits(repository, push),
      repository: basename(folder).replace(/\.git$/, ''),
      remote: remote === null ? null : withoutCredentials(remote),
    },
  }
}

/** The commits that came with it; those of a new branch are the ones that no other remote branch has. */
async function listCommits(repository: string, push: { before: string; after: string }): Promise<Commit[]> {
  const range = NOTHING.test(push.before)
    ? [push.after, '--not', '--remotes']
    : [`${push.before}..${push.after}`]
  const format = '--format=%H%x09%an%x09%s'
  const text = await runGit(repository, ['log', `--max-count=${COMMITS}`, format, ...range, '--']).catch(() =>
    // The old one is not here (a push that was forced, or a shallow clone): at least the newest is.
    runGit(repository, ['log', '--max-count=1', format, push.after, '--']).catch(() => ''),
  )
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', author = '', ...subject] = line.split('\t')
      return { id, author: author.slice(0, 200), subject: subject.join('\t').slice(0, 500) }
    })
}

function withoutCredentials(remote: string): string {
  return remote.replace(/^(\w+:\/\/)[^/@]*@/, '$1')
}

/** The same push told twice, by the hook and by the runner, is one event. */
export function pushKey(trigger: string, { push }: GitPush): string {
  const parts = [trigger, push.hook, push.repository, push.remote, push.ref, push.before, push.after]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
