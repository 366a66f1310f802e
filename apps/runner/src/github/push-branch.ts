import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrivateGit } from '../workspaces/changes/private-git.ts'
import { findRepository } from '../workspaces/find-repository.ts'

export type Push = { worktree: string; commit: string; remote: string; branch: string; token: string }

const LIMIT_MS = 100_000

/**
 * Pushes one commit to one new branch. Null when it is there, else a sentence why it is not.
 *
 * It goes out of a git directory of the runner's own, so nothing that the repository's configuration says is read: the agent
 * could have named a proxy or another address there, and the token would go to it. The token is in git's environment, for
 * this remote alone; never in an argument, an address or a file. The branch must not exist yet, or hold this very commit
 * from an earlier try: nobody's work is pushed over.
 */
export async function pushBranch(push: Push, signal: AbortSignal): Promise<string | null> {
  const repository = await findRepository(push.worktree)
  if (!repository) return 'The worktree of the run is gone.'
  const folder = await mkdtemp(join(tmpdir(), 'baton-push-'))
  try {
    const git = await createPrivateGit(folder, push.worktree, repository)
    const ref = `refs/heads/${push.branch}`
    const answer = await git.ask(
      [
        'push',
        '--no-verify',
        '--porcelain',
        `--force-with-lease=${ref}:`,
        push.remote,
        `${push.commit}:${ref}`,
      ],
      { env: environmentFor(push), limitMs: LIMIT_MS, signal },
    )
    if (answer.ok) return null
    return answer.timedOut
      ? 'The push took too long.'
      : clean(`${answer.stderr}\n${answer.stdout.toString('utf8')}`, push.token)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function environmentFor({ remote, token }: Push): Record<string, string> {
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
  return {
    GIT_ALLOW_PROTOCOL: new URL(remote).protocol.slice(0, -1),
    GIT_CONFIG_COUNT: '3',
    GIT_CONFIG_KEY_0: `http.${remote}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    GIT_CONFIG_KEY_1: 'credential.helper',
    GIT_CONFIG_VALUE_1: '',
    // A token for one server is not taken to another.
    GIT_CONFIG_KEY_2: 'http.followRedirects',
    GIT_CONFIG_VALUE_2: 'false',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
  }
}

/** What git said in a line or two, without what must not be shown. */
function clean(text: string, token: string): string {
  const lines = text
    .replaceAll(token, '***')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(fatal|error|remote|!)/.test(line))
  return lines.slice(0, 4).join(' ').slice(0, 500) || 'git did not say why.'
}
