import type { ErrorKind } from '@baton/protocol'
import type { GitAnswer } from '../git.ts'

/** A workspace that cannot be made: the run's failure, in the words of its owner. */
export type WorkspaceProblem = { errorKind: ErrorKind; message: string }

export function workspaceProblem(message: string): WorkspaceProblem {
  return { errorKind: 'workspace', message: message.slice(0, 2_000) }
}

/** What a failed git means for the person whose run needs it. */
export function gitProblem(doing: string, repository: string, answer: GitAnswer): WorkspaceProblem {
  const said = withoutPasswords(whatCounts(answer.stderr))
  const problem = (what: string) => workspaceProblem(`${doing} failed: ${what} (git says: ${said})`)
  if (answer.timedOut)
    return workspaceProblem(
      `${doing} failed: git took too long. Look at the network and the size of ${repository}.`,
    )
  if (/no space left on device|disk quota exceeded/i.test(said))
    return {
      errorKind: 'disk_full',
      message: `${doing} failed: the disk of the machine is full. Free some space, then run it again.`,
    }
  if (SIGN_IN.test(said))
    return problem(
      `git on that machine may not read ${repository}. Sign in there once so that "git ls-remote ${repository}" works without a question`,
    )
  if (
    /could not resolve host|connection (refused|timed out|reset)|network is unreachable|unable to access/i.test(
      said,
    )
  )
    return problem(`${repository} cannot be reached from that machine`)
  if (/repository .*not found|does not exist|does not appear to be a git repository|not found/i.test(said))
    return problem(`there is no repository at ${repository}, or its owner hides it from that machine's user`)
  return problem('look at what git says')
}

const SIGN_IN =
  /authentication failed|could not read (username|password)|permission denied \(|terminal prompts disabled|invalid credentials|host key verification failed|error: 40[13]/i

/** Its complaints, and not the advice around them. */
function whatCounts(text: string): string {
  const lines = text.trim().split('\n')
  const complaints = lines.filter((line) => /^(fatal|error|ERROR|remote|ssh|.*Permission denied)/.test(line))
  return (complaints.length > 0 ? complaints : lines).slice(-4).join(' / ').slice(0, 600)
}

/** git leaves passwords out of what it says in most places, not in all. */
function withoutPasswords(text: string): string {
  return text.replace(/(\w+:\/\/)[^/@\s]+@/g, '$1…@')
}
