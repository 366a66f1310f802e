import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { GitPush } from '@baton/protocol'
import type { HookName } from './hook-config.ts'
import { runGit } from './run-git.ts'

type Commit = GitPush['push']['commits'][number]
type Push = { ref: string; before: string; after: string }

const BRANCH = 'refs/heads/'
const NOTHING = /^0+$/
const COMMITS = 50

/**
 * The branches that a hook was told about, as git writes them: for pre-push `<local ref> <local id> <remote ref> <remote
 * id>`, for post-receive `<old id> <new id> <ref>`. Deleted branches, tags and lines that are neither are left out.
 */
export function readPushes(hook: HookName, input: string): Push[] {
  return input.split('\n').flatMap((line) => {
    const words = line.trim().split(' ')
    const [before, after, ref] =
      hook === 'pre-push' ? [words[3], words[1], words[2]] : [words[0], words[1], words[2]]
    if (!ref?.startsWith(BRANCH) || !isId(before) || !isId(after) || NOTHING.test(after)) return []
    return [{ ref, before, after }]
  })
}

const isId = (text: string | undefined): text is string => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text ?? '')

/** What a prompt can name of one push. `remote` is what git calls the other side, and where that is. */
export async function describePush(
  repository: string,
  hook: HookName,
  push: Push,
  remote: { name: string; url: string } | null,
): Promise<GitPush> {
  const common = await runGit(repository, ['rev-parse', '--path-format=absolute', '--git-common-dir'])
  const branch = push.ref.slice(BRANCH.length)
  return {
    push: {
      ...push,
      hook,
      branch,
      commits: await listCommits(repository, push, branch, remote?.name ?? null),
      repository: basename(common.trim().replace(/\/\.git$/, '')).replace(/\.git$/, ''),
      remote: remote === null ? null : withoutCredentials(remote.url),
    },
  }
}

/** The commits that came with it; those of a new branch are the ones that no other branch of that side has. */
async function listCommits(
  repository: string,
  push: Push,
  branch: string,
  remote: string | null,
): Promise<Commit[]> {
  // The push may be over by now, and the branch itself be one of those that are left out.
  const others =
    remote === null ? [`--exclude=${branch}`, '--branches'] : [`--exclude=${remote}/${branch}`, '--remotes']
  const range = NOTHING.test(push.before)
    ? [push.after, '--not', ...others]
    : [`${push.before}..${push.after}`]
  const list = (...args: string[]) =>
    runGit(repository, ['log', '--format=%H%x09%an%x09%s', ...args, '--']).catch(() => '')
  // An old commit that is not here (after a forced push, or in a shallow clone) leaves the newest.
  const text = (await list(`--max-count=${COMMITS}`, ...range)) || (await list('--max-count=1', push.after))
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
