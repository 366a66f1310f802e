import { askProgram } from './ask-program.ts'

/**
 * Who commits, as environment variables: the user's own name where git knows it, else the agent's. Names that the
 * environment gives already stay.
 */
export async function gitIdentity(
  env: Readonly<Record<string, string>>,
  cwd: string,
  agentKey: string,
): Promise<Record<string, string>> {
  const [name, email] = await Promise.all(['user.name', 'user.email'].map((key) => askGit(env, cwd, key)))
  const who = name && email ? { name, email } : { name: agentKey, email: `${agentKey}@localhost` }
  return {
    GIT_AUTHOR_NAME: env.GIT_AUTHOR_NAME ?? who.name,
    GIT_AUTHOR_EMAIL: env.GIT_AUTHOR_EMAIL ?? who.email,
    GIT_COMMITTER_NAME: env.GIT_COMMITTER_NAME ?? who.name,
    GIT_COMMITTER_EMAIL: env.GIT_COMMITTER_EMAIL ?? who.email,
  }
}

async function askGit(env: Readonly<Record<string, string>>, cwd: string, key: string): Promise<string> {
  const answer = await askProgram('git', ['-C', cwd, 'config', '--get', key], env)
  return answer.answered && answer.exitCode === 0 ? answer.stdout.trim() : ''
}
