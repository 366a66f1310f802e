import {
  callerRepository,
  type GithubAnswer,
  GithubRefusal,
  type GithubRequest,
  paged,
} from './github-request.ts'
import type { CheckRun, Comment, GithubUser, Pull, Reaction, Repository, StandInApp } from './github-world.ts'

type Route = {
  at: RegExp
  permission: string
  level: 'read' | 'write'
  answer(place: Place): GithubAnswer | Promise<GithubAnswer>
}
type Place = { request: GithubRequest; repository: Repository; app: StandInApp; ids: string[] }

/** What an installation may ask of one repository. Null: no such route. */
export async function answerRepositoryRoute(request: GithubRequest): Promise<GithubAnswer | null> {
  const inside = `${request.method} /${request.parts.slice(3).join('/')}`
  for (const route of ROUTES) {
    const match = request.parts[0] === 'repos' ? route.at.exec(inside) : null
    if (!match) continue
    const place = callerRepository(request, route.permission, route.level)
    return await route.answer({ request, ...place, ids: match.slice(1) })
  }
  return null
}

const ROUTES: Route[] = [
  {
    at: /^GET \/$/,
    permission: 'metadata',
    level: 'read',
    answer: ({ repository }) => ok(repositoryView(repository)),
  },
  {
    at: /^GET \/collaborators\/([^/]+)\/permission$/,
    permission: 'metadata',
    level: 'read',
    answer: findPermission,
  },
  { at: /^GET \/commits\/([^/]+)$/, permission: 'contents', level: 'read', answer: findCommit },
  { at: /^GET \/issues\/(\d+)$/, permission: 'issues', level: 'read', answer: findIssue },
  { at: /^GET \/issues\/(\d+)\/comments$/, permission: 'issues', level: 'read', answer: listComments },
  { at: /^POST \/issues\/(\d+)\/comments$/, permission: 'issues', level: 'write', answer: makeComment },
  { at: /^GET \/(issues|pulls)\/comments\/(\d+)$/, permission: 'issues', level: 'read', answer: showComment },
  { at: /^PATCH \/issues\/comments\/(\d+)$/, permission: 'issues', level: 'write', answer: changeComment },
  { at: /^DELETE \/issues\/comments\/(\d+)$/, permission: 'issues', level: 'write', answer: deleteComment },
  {
    at: /^POST \/(issues|pulls)\/comments\/(\d+)\/reactions$/,
    permission: 'issues',
    level: 'write',
    answer: reactToComment,
  },
  { at: /^POST \/issues\/(\d+)\/reactions$/, permission: 'issues', level: 'write', answer: reactToIssue },
  { at: /^POST \/check-runs$/, permission: 'checks', level: 'write', answer: makeCheck },
  { at: /^PATCH \/check-runs\/(\d+)$/, permission: 'checks', level: 'write', answer: changeCheck },
  { at: /^GET \/commits\/([^/]+)\/check-runs$/, permission: 'checks', level: 'read', answer: listChecks },
  { at: /^GET \/pulls$/, permission: 'pull_requests', level: 'read', answer: listPulls },
  { at: /^POST \/pulls$/, permission: 'pull_requests', level: 'write', answer: makePull },
  { at: /^GET \/pulls\/(\d+)$/, permission: 'pull_requests', level: 'read', answer: showPull },
  { at: /^GET \/pulls\/(\d+)\/files$/, permission: 'pull_requests', level: 'read', answer: listFiles },
]

const ok = (body: unknown): GithubAnswer => ({ status: 200, body })
const missing = (): never => {
  throw new GithubRefusal(404, 'Not Found')
}

const repositoryView = (one: Repository) => ({
  id: one.id,
  full_name: `${one.owner}/${one.name}`,
  default_branch: one.defaultBranch,
  private: true,
})

/** By login, as GitHub has it; the answer names the numeric id that the login belongs to now. */
function findPermission({ request, repository, ids }: Place): GithubAnswer {
  const user = request.world.users.find((one) => one.login === decodeURIComponent(ids[0] ?? '')) ?? missing()
  const role = repository.permissions.get(user.id) ?? 'none'
  const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role
  return ok({ permission, role_name: role, user })
}

function findCommit({ repository, ids }: Place): GithubAnswer {
  const ref = decodeURIComponent(ids[0] ?? '')
  const sha = repository.heads.get(ref) ?? (/^[0-9a-f]{40}$/.test(ref) ? ref : missing())
  return ok({ sha })
}

function findIssue({ repository, ids }: Place): GithubAnswer {
  const { reactions: _, ...issue } = repository.issues.get(Number(ids[0])) ?? missing()
  return ok({ ...issue, labels: issue.labels.map((name) => ({ name })) })
}

const commentView = ({ app, reactions: _, kind: __, number: ___, ...comment }: Comment) => ({
  ...comment,
  performed_via_github_app: app && { id: app.id, slug: app.slug },
  html_url: `https://github.test/comments/${comment.id}`,
})

function listComments({ request, repository, ids }: Place): GithubAnswer {
  const own = repository.comments.filter((one) => one.kind === 'issue' && one.number === Number(ids[0]))
  return paged(request, own.map(commentView))
}

function makeComment({ request, repository, app, ids }: Place): GithubAnswer {
  const body = textOf(request.body.body)
  if (body === '' || body.length > 65_536) throw new GithubRefusal(422, 'Validation Failed')
  const comment: Comment = {
    id: request.world.nextId(),
    kind: 'issue',
    number: Number(ids[0]),
    body,
    user: app.bot,
    app,
    reactions: [],
  }
  repository.comments.push(comment)
  return { status: 201, body: commentView(comment) }
}

const commentOf = (repository: Repository, id: string | undefined, kind?: Comment['kind']) =>
  repository.comments.find((one) => one.id === Number(id) && (kind === undefined || one.kind === kind)) ??
  missing()

function showComment({ repository, ids }: Place): GithubAnswer {
  return ok(commentView(commentOf(repository, ids[1], ids[0] === 'pulls' ? 'review' : 'issue')))
}

function changeComment({ request, repository, ids }: Place): GithubAnswer {
  const comment = commentOf(repository, ids[0], 'issue')
  comment.body = textOf(request.body.body)
  return ok(commentView(comment))
}

function deleteComment({ repository, ids }: Place): GithubAnswer {
  const comment = commentOf(repository, ids[0], 'issue')
  repository.comments.splice(repository.comments.indexOf(comment), 1)
  return { status: 204 }
}

function reactToComment(place: Place): GithubAnswer {
  const { repository, ids } = place
  return react(place, commentOf(repository, ids[1], ids[0] === 'pulls' ? 'review' : 'issue').reactions)
}

function reactToIssue(place: Place): GithubAnswer {
  return react(place, (place.repository.issues.get(Number(place.ids[0])) ?? missing()).reactions)
}

/** The same reaction of the same user again is the first one. */
function react({ request, app }: Place, reactions: Reaction[]): GithubAnswer {
  const content = textOf(request.body.content)
  const known = reactions.find((one) => one.content === content && one.user === app.bot)
  if (known) return ok(known)
  const reaction = { id: request.world.nextId(), content, user: app.bot }
  reactions.push(reaction)
  return { status: 201, body: reaction }
}

function makeCheck({ request, repository, app }: Place): GithubAnswer {
  const { body } = request
  const check: CheckRun = {
    id: request.world.nextId(),
    name: textOf(body.name),
    head_sha: textOf(body.head_sha),
    external_id: textOf(body.external_id),
    status: textOf(body.status),
    conclusion: (body.conclusion as string | undefined) ?? null,
    details_url: (body.details_url as string | undefined) ?? null,
    output: (body.output as CheckRun['output']) ?? null,
    app: { id: app.id, slug: app.slug },
  }
  if (!/^[0-9a-f]{40}$/.test(check.head_sha) || check.name === '')
    throw new GithubRefusal(422, 'Validation Failed')
  repository.checks.push(check)
  return { status: 201, body: { ...check, html_url: `https://github.test/runs/${check.id}` } }
}

function changeCheck({ request, repository, ids }: Place): GithubAnswer {
  const check = repository.checks.find((one) => one.id === Number(ids[0])) ?? missing()
  for (const name of ['status', 'conclusion', 'details_url', 'output', 'external_id'] as const)
    if (request.body[name] !== undefined) Object.assign(check, { [name]: request.body[name] })
  return ok({ ...check, html_url: `https://github.test/runs/${check.id}` })
}

function listChecks({ request, repository, ids }: Place): GithubAnswer {
  const name = request.query.get('check_name')
  const appId = request.query.get('app_id')
  const own = repository.checks.filter(
    (one) =>
      one.head_sha === ids[0] &&
      (name === null || one.name === name) &&
      (appId === null || one.app.id === Number(appId)),
  )
  return paged(request, own, (check_runs) => ({ total_count: own.length, check_runs }))
}

const pullView = (repository: Repository, pull: Pull) => {
  const base = repositoryView(repository)
  return {
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    user: pull.user,
    html_url: `https://github.test/${base.full_name}/pull/${pull.number}`,
    head: { ref: pull.head, sha: pull.headSha, repo: pull.fork ? { id: base.id + 1_000_000 } : base },
    base: { ref: pull.base, repo: base },
  }
}

function listPulls({ request, repository }: Place): GithubAnswer {
  const state = request.query.get('state') ?? 'open'
  const head = request.query.get('head')
  const own = repository.pulls.filter(
    (one) =>
      (state === 'all' || one.state === state) &&
      (head === null || head === `${repository.owner}:${one.head}`),
  )
  return paged(
    request,
    own.map((one) => pullView(repository, one)),
  )
}

async function makePull({ request, repository, app }: Place): Promise<GithubAnswer> {
  const { body, world } = request
  const head = textOf(body.head)
  const sha = repository.heads.get(head)
  if (sha === undefined) throw new GithubRefusal(422, 'Validation Failed: head is invalid')
  if (repository.pulls.some((one) => one.head === head && one.state === 'open'))
    throw new GithubRefusal(422, `A pull request already exists for ${repository.owner}:${head}.`)
  const user: GithubUser = app.bot
  const pull: Pull = {
    number: world.nextId(),
    title: textOf(body.title),
    body: textOf(body.body),
    head,
    headSha: sha,
    base: textOf(body.base),
    state: 'open',
    fork: false,
    user,
    files: [],
  }
  repository.pulls.push(pull)
  return { status: 201, body: pullView(repository, pull) }
}

const pullOf = (repository: Repository, number: string | undefined) =>
  repository.pulls.find((one) => one.number === Number(number)) ?? missing()

function showPull({ repository, ids }: Place): GithubAnswer {
  return ok(pullView(repository, pullOf(repository, ids[0])))
}

function listFiles({ request, repository, ids }: Place): GithubAnswer {
  return paged(
    request,
    pullOf(repository, ids[0]).files.map((filename) => ({ filename })),
  )
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
