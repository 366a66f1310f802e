import { randomUUID } from 'node:crypto'
import { type Connection, connect } from '@baton/db'
import type { PushedDelivery, RunnerPush } from '@baton/protocol'
import type { AppRouter } from '@baton/relay'
import {
  addApp,
  addInstallation,
  addRepository,
  addUser,
  connectWireRunner,
  type GithubUser,
  githubHeaders,
  type Installation,
  leaseOf,
  type Repository,
  type StandInApp,
  type StandInGithub,
  startStandInGithub,
  startTestRelay,
  type TestRelay,
  type WireRunner,
  wireRun,
} from '@baton/testkit'
import { createTRPCClient, httpLink } from '@trpc/client'
import { examplePayload } from './github-payloads.ts'

export type Api = ReturnType<typeof createTRPCClient<AppRouter>>

/** An organization, a stand-in GitHub with one App of it on one repository, people, and a job for `/fix` comments. */
export interface GithubPlace extends AsyncDisposable {
  relay: TestRelay
  github: StandInGithub
  api: Api
  db: Connection
  app: StandInApp
  appId: string
  installation: Installation
  repository: Repository
  /** Has write permission. */
  ada: GithubUser
  /** Has none. */
  eve: GithubUser
  machineKey: string
  /** Another relay on the same port and database, after a kill. */
  restart(): Promise<void>
  post(
    event: string,
    payload: object,
    options?: { guid?: string; headers?: Record<string, string> },
  ): Promise<Response>
  /** The comment as GitHub would have it, and its event. */
  comment(by: GithubUser, body: string, change?: object): { id: number; payload: object }
}

export const PERMISSIONS = {
  metadata: 'read',
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  actions: 'read',
}
export const EVENTS = [
  'push',
  'pull_request',
  'issues',
  'issue_comment',
  'pull_request_review_comment',
  'check_run',
  'workflow_run',
  'release',
  'label',
]

const ISSUE = 7

export async function openGithubPlace(main?: string): Promise<GithubPlace> {
  const github = await startStandInGithub()
  const env = { BATON_OUTBOUND_ALLOW: '127.0.0.1' }
  const from = main === undefined ? {} : { main }
  let relay = await startTestRelay({ env, ...from })
  const made = await relay.setup<{ token: string; machineId: string; machineKey: string }>({
    machineName: 'laptop',
    wantToken: true,
    wantMachineKey: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  const { databaseUrl, port } = relay
  const db = connect(databaseUrl)
  const api = createTRPCClient<AppRouter>({
    links: [
      httpLink({
        url: `${relay.url}/trpc`,
        headers: { authorization: `Bearer ${made.token}` },
        // Payloads of GitHub do not fit into an address.
        methodOverride: 'POST',
      }),
    ],
  })
  const { world } = github
  const app = addApp(world, {
    slug: 'baton-test',
    hookUrl: `${relay.url}/github/webhook`,
    permissions: PERMISSIONS,
    events: EVENTS,
  })
  const ada = addUser(world, 'ada')
  const eve = addUser(world, 'eve')
  const repository = addRepository(world, 'acme/shop')
  repository.permissions.set(ada.id, 'write').set(eve.id, 'read')
  repository.issues.set(ISSUE, {
    number: ISSUE,
    title: 'It breaks',
    body: 'When I click.',
    user: eve,
    labels: [],
    reactions: [],
  })
  const installation = addInstallation(world, app, addUser(world, 'acme'), [repository])
  const registered = await api.integrations.github.register.mutate({
    webUrl: github.url,
    appId: app.id,
    privateKey: app.privateKey,
    webhookSecret: app.webhookSecret,
  })
  const place = { installation, repository }

  return {
    get relay() {
      return relay
    },
    github,
    api,
    db,
    app,
    appId: registered.id,
    installation,
    repository,
    ada,
    eve,
    machineKey: made.machineKey,
    async restart() {
      await relay.kill()
      relay = await startTestRelay({ databaseUrl, port, env, ...from })
    },
    post(event, payload, { guid = randomUUID(), headers = {} } = {}) {
      const body = JSON.stringify(payload)
      return fetch(`${relay.url}/github/webhook`, {
        method: 'POST',
        body,
        headers: { ...githubHeaders(app, { event, guid, body }), ...headers },
      })
    },
    comment(by, body, change = {}) {
      const id = world.nextId()
      repository.comments.push({ id, kind: 'issue', number: ISSUE, body, user: by, app: null, reactions: [] })
      const issue = repository.issues.get(ISSUE)
      const payload = examplePayload(
        'issue_comment',
        'created',
        { ...place, sender: by },
        {
          issue: { number: ISSUE, title: issue?.title, body: issue?.body, user: eve, labels: [] },
          comment: { id, body, user: by },
          ...change,
        },
      )
      return { id, payload }
    },
    async [Symbol.asyncDispose]() {
      await db.close()
      await relay[Symbol.asyncDispose]()
      await github[Symbol.asyncDispose]()
    },
  }
}

/** A runner that does nothing but say that it did: for what the relay tells GitHub meanwhile. */
export async function connectIdleRunner(place: GithubPlace): Promise<{
  runner: WireRunner
  deliveries: PushedDelivery[]
  start(delivery: PushedDelivery): Promise<void>
  finish(delivery: PushedDelivery, result: string): Promise<void>
}> {
  const runner = await connectWireRunner(place.relay.url, place.machineKey)
  const deliveries: PushedDelivery[] = []
  runner.subscribe({
    slots: 5,
    onPush: (push: RunnerPush) => void deliveries.push(...push.deliveries),
    onEnd: () => {},
  })
  return {
    runner,
    deliveries,
    async start(delivery) {
      const lease = leaseOf(delivery)
      await runner.api.runner.accept.mutate({ deliveries: [lease] })
      await runner.api.runner.start.mutate({
        sentAt: Date.now(),
        runs: [{ ...lease, startedAt: Date.now(), workspace: '/tmp/work' }],
      })
    },
    async finish(delivery, result) {
      const { settle } = wireRun(leaseOf(delivery), [], { result })
      await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
    },
  }
}
