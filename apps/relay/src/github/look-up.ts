import type { GithubCall } from './github-api.ts'
import type { GithubSubject } from './read-event.ts'
import { isMissing } from './read-failure.ts'

const PAGE = 100
const MOST_FILES = 3_000

const placeOf = ({ repository }: GithubSubject) => {
  const [owner = '', repo = ''] = repository.fullName.split('/')
  return { owner, repo }
}

type PullAnswer = {
  head: { sha: string; repo: { id: number } | null }
  base: { ref: string; repo: { id: number } }
}

/** What an event about a pull request leaves out: whether it comes from a fork, and its commit. */
export async function withPull(call: GithubCall, subject: GithubSubject): Promise<GithubSubject> {
  if (subject.isFork !== null || subject.number === null) return subject
  const { data } = await call<PullAnswer>('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
    ...placeOf(subject),
    pull_number: subject.number,
  })
  return {
    ...subject,
    isFork: data.head.repo?.id !== data.base.repo.id,
    headSha: data.head.sha,
    baseBranch: data.base.ref,
  }
}

/** Without a commit of its own, an event is about the newest one of the default branch. */
export async function withCommit(call: GithubCall, subject: GithubSubject): Promise<GithubSubject> {
  if (subject.headSha !== null) return subject
  const { data } = await call<{ sha: string }>('GET /repos/{owner}/{repo}/commits/{ref}', {
    ...placeOf(subject),
    ref: subject.baseBranch ?? subject.repository.defaultBranch,
  })
  return { ...subject, headSha: data.sha }
}

/** The paths that a pull request changes, as far as GitHub lists them. */
export async function listPullPaths(call: GithubCall, subject: GithubSubject): Promise<string[]> {
  const paths: string[] = []
  for (let page = 1; paths.length < MOST_FILES; page += 1) {
    const { data } = await call<{ filename: string; previous_filename?: string }[]>(
      'GET /repos/{owner}/{repo}/pulls/{pull_number}/files',
      { ...placeOf(subject), pull_number: subject.number, per_page: PAGE, page },
    )
    paths.push(
      ...data.flatMap((file) => [file.filename, ...(file.previous_filename ? [file.previous_filename] : [])]),
    )
    if (data.length < PAGE) break
  }
  return paths
}

/**
 * Whether the text is still what the event said. Somebody may have changed it between the event and now; then nobody
 * with permission has said this, and the edit is an event of its own.
 */
export async function isStillWritten(call: GithubCall, subject: GithubSubject): Promise<boolean> {
  try {
    return subject.comment ? await isSameComment(call, subject) : await isSameIssue(call, subject)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function isSameComment(call: GithubCall, subject: GithubSubject): Promise<boolean> {
  const route =
    subject.comment?.kind === 'review'
      ? 'GET /repos/{owner}/{repo}/pulls/comments/{comment_id}'
      : 'GET /repos/{owner}/{repo}/issues/comments/{comment_id}'
  const { data } = await call<{ body?: string | null }>(route, {
    ...placeOf(subject),
    comment_id: subject.comment?.id,
  })
  return (data.body ?? '') === textOf(subject, 'comment')
}

async function isSameIssue(call: GithubCall, subject: GithubSubject): Promise<boolean> {
  const isText = subject.event === 'issues' || subject.event === 'pull_request' || subject.event === 'label'
  if (!isText || subject.number === null) return true
  const { data } = await call<{ title: string; body?: string | null }>(
    'GET /repos/{owner}/{repo}/issues/{issue_number}',
    { ...placeOf(subject), issue_number: subject.number },
  )
  return data.title === textOf(subject, 'title') && (data.body ?? '') === textOf(subject, 'description')
}

const textOf = (subject: GithubSubject, what: string) =>
  subject.texts.find((one) => one.what === what)?.text ?? ''
