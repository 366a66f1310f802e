import { createHash } from 'node:crypto'
import type { GithubTriggerEvent } from '@baton/protocol'

export type Actor = { id: number; login: string; isBot: boolean }

/** Free text of an event that somebody wrote and that an agent is handed. */
export type WrittenText = { what: string; text: string }

/** A comment that can be asked for again, to see whether it still says what was sent. */
export type CommentRef = { id: number; kind: 'issue' | 'review' }

/** One event of GitHub as triggers look at it. Everything in it comes from the signed body. */
export type GithubSubject = {
  event: GithubTriggerEvent
  action: string | null
  installationId: number
  repository: { id: number; fullName: string; defaultBranch: string }
  /** Everybody who made this happen: each needs write permission. The first is the sender. */
  actors: Actor[]
  /** The Apps that acted for them, by their ids. */
  viaApps: number[]
  number: number | null
  isPullRequest: boolean
  comment: CommentRef | null
  branch: string | null
  baseBranch: string | null
  headSha: string | null
  /** null: the event does not say; the pull request must be asked for. */
  isFork: boolean | null
  paths: string[] | null
  labels: string[]
  /** A check or workflow that did not end in failure fires nothing. */
  failed: boolean
  texts: WrittenText[]
  /** Where a command or a mention is looked for. */
  spoken: string | null
  url: string | null
}

type Json = Record<string, unknown>
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const maybeText = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null
const whole = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : null
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** What is stored beside every event, whatever it is. */
export function readNames(payload: unknown): {
  action: string | null
  installationId: number | null
  repository: string | null
} {
  const body = object(payload)
  return {
    action: maybeText(body.action)?.slice(0, 100) ?? null,
    installationId: whole(object(body.installation).id),
    repository: maybeText(object(body.repository).full_name)?.slice(0, 300) ?? null,
  }
}

/** The event as triggers look at it, or null for one that no trigger can listen to. */
export function readEvent(name: string, payload: unknown): GithubSubject | null {
  const body = object(payload)
  const repository = object(body.repository)
  const installationId = whole(object(body.installation).id)
  const repositoryId = whole(repository.id)
  const sender = readActor(body.sender)
  const part = READERS[name]?.(body)
  if (!part || installationId === null || repositoryId === null || !sender) return null
  return {
    action: maybeText(body.action),
    installationId,
    repository: {
      id: repositoryId,
      fullName: text(repository.full_name),
      defaultBranch: text(repository.default_branch) || 'main',
    },
    number: null,
    isPullRequest: false,
    comment: null,
    branch: null,
    baseBranch: null,
    headSha: null,
    isFork: false,
    paths: null,
    labels: [],
    failed: true,
    texts: [],
    spoken: null,
    url: maybeText(repository.html_url),
    ...part,
    actors: onePerId([sender, ...(part.actors ?? [])]),
    viaApps: part.viaApps ?? [],
  }
}

type Part = Partial<GithubSubject> & Pick<GithubSubject, 'event'>

const READERS: Record<string, (body: Json) => Part | null> = {
  push: readPush,
  pull_request: readPullRequest,
  issues: readIssues,
  issue_comment: readIssueComment,
  pull_request_review_comment: readReviewComment,
  check_run: readCheckRun,
  workflow_run: readWorkflowRun,
  release: readRelease,
}

function readPush(body: Json): Part | null {
  const ref = text(body.ref)
  if (!ref.startsWith('refs/heads/') || body.deleted === true) return null
  const commits = list(body.commits).map(object)
  const branch = ref.slice('refs/heads/'.length)
  return {
    event: 'push',
    branch,
    baseBranch: branch,
    headSha: shaOf(body.after),
    paths: commits.flatMap((commit) =>
      [commit.added, commit.modified, commit.removed].flatMap(list).map(text),
    ),
    texts: commits.map((commit) => ({
      what: `commit ${text(commit.id).slice(0, 12)}`,
      text: text(commit.message),
    })),
    url: maybeText(body.compare),
  }
}

function pullPart(pull: Json): Omit<Part, 'event'> {
  const [head, base] = [object(pull.head), object(pull.base)]
  const headRepository = whole(object(head.repo).id)
  return {
    number: whole(pull.number),
    isPullRequest: true,
    branch: maybeText(base.ref),
    baseBranch: maybeText(base.ref),
    headSha: shaOf(head.sha),
    isFork: headRepository === null || headRepository !== whole(object(base.repo).id),
    labels: labelsOf(pull),
    texts: [
      { what: 'title', text: text(pull.title) },
      { what: 'description', text: text(pull.body) },
      { what: 'branch', text: text(head.ref) },
    ],
    url: maybeText(pull.html_url),
  }
}

function readPullRequest(body: Json): Part {
  const pull = object(body.pull_request)
  const isLabel = body.action === 'labeled'
  const part = pullPart(pull)
  if (isLabel) return { ...part, event: 'label', labels: [text(object(body.label).name)], branch: null }
  // Whoever opened it wrote the text that would be handed over.
  const author = readActor(pull.user)
  return {
    ...part,
    event: 'pull_request',
    actors: author ? [author] : [],
    viaApps: viaOf(pull),
    spoken: text(pull.body),
  }
}

const issuePart = (issue: Json): Omit<Part, 'event'> => ({
  number: whole(issue.number),
  isPullRequest: issue.pull_request !== undefined && issue.pull_request !== null,
  isFork: issue.pull_request ? null : false,
  labels: labelsOf(issue),
  texts: [
    { what: 'title', text: text(issue.title) },
    { what: 'description', text: text(issue.body) },
  ],
  url: maybeText(issue.html_url),
})

function readIssues(body: Json): Part {
  const issue = object(body.issue)
  const part = issuePart(issue)
  // A label counts as the word of whoever put it there, not of whoever wrote the issue.
  if (body.action === 'labeled') return { ...part, event: 'label', labels: [text(object(body.label).name)] }
  const author = body.action === 'opened' || body.action === 'edited' ? readActor(issue.user) : null
  return {
    ...part,
    event: 'issues',
    actors: author ? [author] : [],
    viaApps: viaOf(issue),
    spoken: text(issue.body),
  }
}

function commentPart(comment: Json, kind: CommentRef['kind']): Partial<Part> {
  const id = whole(comment.id)
  const author = readActor(comment.user)
  return {
    comment: id === null ? null : { id, kind },
    actors: author ? [author] : [],
    viaApps: viaOf(comment),
    spoken: text(comment.body),
    url: maybeText(comment.html_url),
  }
}

function readIssueComment(body: Json): Part {
  const issue = issuePart(object(body.issue))
  const comment = object(body.comment)
  return {
    ...issue,
    ...commentPart(comment, 'issue'),
    event: 'issue_comment',
    texts: [...(issue.texts ?? []), { what: 'comment', text: text(comment.body) }],
  }
}

function readReviewComment(body: Json): Part {
  const pull = pullPart(object(body.pull_request))
  const comment = object(body.comment)
  return {
    ...pull,
    ...commentPart(comment, 'review'),
    event: 'pull_request_review_comment',
    texts: [
      ...(pull.texts ?? []),
      { what: 'file', text: text(comment.path) },
      { what: 'diff', text: text(comment.diff_hunk) },
      { what: 'comment', text: text(comment.body) },
    ],
  }
}

function readCheckRun(body: Json): Part {
  const check = object(body.check_run)
  const suite = object(check.check_suite)
  const output = object(check.output)
  const branch = maybeText(suite.head_branch)
  const pull = object(list(check.pull_requests)[0])
  return {
    event: 'check_run',
    branch,
    baseBranch: branch,
    headSha: shaOf(check.head_sha),
    // GitHub leaves the branch out for commits of forks.
    isFork: branch === null,
    number: whole(pull.number),
    isPullRequest: whole(pull.number) !== null,
    failed: FAILURES.has(text(check.conclusion)),
    viaApps: [whole(object(check.app).id)].filter((id) => id !== null),
    texts: [
      { what: 'check', text: text(check.name) },
      { what: 'conclusion', text: text(check.conclusion) },
      {
        what: 'output',
        text: [text(output.title), text(output.summary), text(output.text)].join('\n').trim(),
      },
    ],
    url: maybeText(check.html_url),
  }
}

function readWorkflowRun(body: Json): Part {
  const run = object(body.workflow_run)
  const pull = object(list(run.pull_requests)[0])
  const headRepository = whole(object(run.head_repository).id)
  const actors = [readActor(run.actor), readActor(run.triggering_actor)].filter((one) => one !== null)
  return {
    event: 'workflow_run',
    // Both: who pushed what ran, and who ran it (again).
    actors,
    branch: maybeText(run.head_branch),
    baseBranch: maybeText(run.head_branch),
    headSha: shaOf(run.head_sha),
    isFork: headRepository === null || headRepository !== whole(object(body.repository).id),
    number: whole(pull.number),
    isPullRequest: whole(pull.number) !== null,
    failed: FAILURES.has(text(run.conclusion)),
    texts: [
      { what: 'workflow', text: text(run.name) },
      { what: 'conclusion', text: text(run.conclusion) },
      { what: 'title', text: text(run.display_title) },
    ],
    url: maybeText(run.html_url),
  }
}

function readRelease(body: Json): Part {
  const release = object(body.release)
  const author = readActor(release.author)
  const target = maybeText(release.target_commitish)
  return {
    event: 'release',
    actors: author ? [author] : [],
    branch: target,
    baseBranch: target,
    headSha: shaOf(target),
    texts: [
      { what: 'tag', text: text(release.tag_name) },
      { what: 'name', text: text(release.name) },
      { what: 'notes', text: text(release.body) },
    ],
    url: maybeText(release.html_url),
  }
}

const FAILURES = new Set(['failure', 'timed_out', 'action_required', 'startup_failure'])

function readActor(value: unknown): Actor | null {
  const user = object(value)
  const id = whole(user.id)
  const login = text(user.login)
  if (id === null || login === '') return null
  return { id, login, isBot: user.type !== 'User' || login.endsWith('[bot]') }
}

function onePerId(actors: Actor[]): Actor[] {
  return [...new Map(actors.map((actor) => [actor.id, actor])).values()]
}

const viaOf = (thing: Json): number[] => {
  const id = whole(object(thing.performed_via_github_app).id)
  return id === null ? [] : [id]
}

const labelsOf = (thing: Json) => list(thing.labels).map((label) => text(object(label).name))

function shaOf(value: unknown): string | null {
  const sha = text(value)
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha) && !/^0+$/.test(sha) ? sha : null
}

/** Names exactly the text that was looked at and handed over. */
export function textHash(texts: WrittenText[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex')
}
