import { generateKeyPairSync, type KeyObject } from 'node:crypto'

export type GithubUser = { id: number; login: string; type: 'User' | 'Bot' }
export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none'
export type Reaction = { id: number; content: string; user: GithubUser }
export type Comment = {
  id: number
  kind: 'issue' | 'review'
  number: number
  body: string
  user: GithubUser
  app: StandInApp | null
  reactions: Reaction[]
}
export type Issue = {
  number: number
  title: string
  body: string
  user: GithubUser
  labels: string[]
  reactions: Reaction[]
}
export type CheckRun = {
  id: number
  name: string
  head_sha: string
  external_id: string
  status: string
  conclusion: string | null
  details_url: string | null
  output: { title: string; summary: string } | null
  app: { id: number; slug: string }
}
export type Pull = {
  number: number
  title: string
  body: string
  head: string
  headSha: string
  base: string
  state: 'open' | 'closed'
  fork: boolean
  user: GithubUser
  files: string[]
}
export type Repository = {
  id: number
  owner: string
  name: string
  defaultBranch: string
  /** Of commits that a test made up, when there is no git folder behind it. */
  heads: Map<string, string>
  permissions: Map<number, Permission>
  issues: Map<number, Issue>
  comments: Comment[]
  checks: CheckRun[]
  pulls: Pull[]
  /** A bare repository, for pushes over HTTP. */
  gitFolder: string | null
}
export type HookDelivery = {
  id: number
  guid: string
  delivered_at: string
  redelivery: boolean
  duration: number
  status: string
  status_code: number
  event: string
  action: string | null
  installation_id: number | null
  repository_id: number | null
  body: string
}
export type StandInApp = {
  id: number
  slug: string
  name: string
  privateKey: string
  publicKey: KeyObject
  webhookSecret: string
  clientSecret: string
  hookUrl: string
  permissions: Record<string, string>
  events: string[]
  bot: GithubUser
  deliveries: HookDelivery[]
}
export type Installation = {
  id: number
  app: StandInApp
  account: GithubUser
  repositories: Repository[]
  permissions: Record<string, string>
}
export type Token = {
  token: string
  installation: Installation
  repositoryIds: number[]
  permissions: Record<string, string>
  expiresAt: number
  revoked: boolean
}

/** Everything that the stand-in knows, plain so that a test can read and change it. */
export type GithubWorld = {
  users: GithubUser[]
  apps: StandInApp[]
  installations: Installation[]
  repositories: Repository[]
  tokens: Token[]
  /** Codes of manifests that a browser sent, each for one conversion. */
  manifestCodes: Map<string, StandInApp>
  nextId(): number
  now(): number
}

export function createGithubWorld(now: () => number): GithubWorld {
  let last = 1_000
  return {
    users: [],
    apps: [],
    installations: [],
    repositories: [],
    tokens: [],
    manifestCodes: new Map(),
    nextId: () => (last += 1),
    now,
  }
}

export function addUser(world: GithubWorld, login: string, type: GithubUser['type'] = 'User'): GithubUser {
  const user: GithubUser = { id: world.nextId(), login, type }
  world.users.push(user)
  return user
}

export function addApp(
  world: GithubWorld,
  given: {
    slug: string
    hookUrl: string
    permissions: Record<string, string>
    events: string[]
    name?: string
  },
): StandInApp {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const app: StandInApp = {
    id: world.nextId(),
    slug: given.slug,
    name: given.name ?? given.slug,
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    publicKey,
    webhookSecret: `hook-secret-of-${given.slug}-which-is-long-enough`,
    clientSecret: `client-secret-of-${given.slug}`,
    hookUrl: given.hookUrl,
    permissions: given.permissions,
    events: given.events,
    bot: addUser(world, `${given.slug}[bot]`, 'Bot'),
    deliveries: [],
  }
  world.apps.push(app)
  return app
}

export function addRepository(world: GithubWorld, fullName: string): Repository {
  const [owner = '', name = ''] = fullName.split('/')
  const repository: Repository = {
    id: world.nextId(),
    owner,
    name,
    defaultBranch: 'main',
    heads: new Map([['main', 'a'.repeat(40)]]),
    permissions: new Map(),
    issues: new Map(),
    comments: [],
    checks: [],
    pulls: [],
    gitFolder: null,
  }
  world.repositories.push(repository)
  return repository
}

export function addInstallation(
  world: GithubWorld,
  app: StandInApp,
  account: GithubUser,
  repositories: Repository[],
): Installation {
  const installation = {
    id: world.nextId(),
    app,
    account,
    repositories,
    permissions: { ...app.permissions },
  }
  world.installations.push(installation)
  return installation
}
