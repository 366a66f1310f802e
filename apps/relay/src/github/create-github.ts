import { type Db, findGithubPush, recordGithubPush, type StoredGithubEvent } from '@baton/db'
import { BatonError, type GithubPushGrant, type MachineId, type RunId } from '@baton/protocol'
import { inOrder, type Logger, type Service } from '@baton/service'
import type { Backlog } from '../deliveries/backlog.ts'
import type { Intake } from '../inbox/intake.ts'
import type { ChangeFeed } from '../live/change-feed.ts'
import type { Outbound } from '../outputs/outbound/outbound.ts'
import type { OutputSenders } from '../outputs/output-sender.ts'
import type { RelayKeys } from '../secrets/keys.ts'
import { createGithubEffects } from './effects.ts'
import { createGithubApi, type GithubApi } from './github-api.ts'
import { createGithubFetch } from './github-fetch.ts'
import { createKnownApps, type KnownApps } from './known-apps.ts'
import { createGithubMatcher } from './matcher.ts'
import { readFailure } from './read-failure.ts'
import { createGithubReconciler, type GithubReconciler } from './reconciler.ts'
import { createRunTokens } from './run-tokens.ts'
import { createCheckSender } from './senders/check-sender.ts'
import { createCommentSender } from './senders/comment-sender.ts'
import { createPullSender } from './senders/pull-sender.ts'
import { createReactionSender } from './senders/reaction-sender.ts'

export type Lease = { runId: RunId; fence: number }

export type Github = Service & {
  api: GithubApi
  apps: KnownApps
  reconciler: GithubReconciler
  /** Something about Apps or triggers changed, or an event was stored. */
  wake(): void
  stored(event: StoredGithubEvent): void
  /** A short token for pushing this run's branch, to the machine that holds its lease and nobody else. */
  grantPush(machineId: MachineId, lease: Lease): Promise<GithubPushGrant>
  /** The push is over: what became of it is kept, and its token revoked. */
  endPush(machineId: MachineId, push: Lease & PushEnd): Promise<void>
}
export type PushEnd = {
  branch: string | null
  commit: string | null
  problem: string | null
  token: string | null
}

/** Everything that the relay does with GitHub. */
export function createGithub(deps: {
  db: Db
  keys: RelayKeys
  outbound: Outbound
  senders: OutputSenders
  intake: Intake
  backlog: Backlog
  changes: ChangeFeed
  log: Logger
  now: () => number
  wakeDispatcher: () => void
}): Github {
  const api = createGithubApi({
    sealKey: deps.keys.seal,
    fetch: createGithubFetch(deps.outbound),
    now: deps.now,
  })
  const apps = createKnownApps(deps.db, deps.keys.seal, deps.log)
  const parts = { ...deps, api, apps }
  const matcher = createGithubMatcher(parts)
  const reconciler = createGithubReconciler(parts)
  const effects = createGithubEffects(deps)
  const tokens = createRunTokens(api, deps.log)
  deps.senders.register(createReactionSender(parts))
  deps.senders.register(createCommentSender(parts))
  deps.senders.register(createCheckSender(parts))
  deps.senders.register(createPullSender(parts))
  const services = inOrder([tokens, matcher, effects, reconciler])

  return {
    start: () => services.start(),
    stop: () => services.stop(),
    api,
    apps,
    reconciler,
    wake() {
      apps.forget()
      matcher.wake()
      effects.wake()
    },
    stored(event) {
      if (event.inserted) matcher.wake()
    },
    async grantPush(machineId, lease) {
      const push = await findGithubPush(deps.db, machineId, lease)
      const app = push && (await apps.find(push.context.github_app_id))
      if (!app) return { grant: null, problem: null }
      const { context } = push
      const made = await tokens
        .make(app, lease.runId, {
          installationId: context.installation_id,
          repositoryId: context.repository_id,
          permissions: { metadata: 'read', contents: 'write' },
        })
        .catch((error: unknown) => readFailure(error, deps.now()))
      if (typeof made !== 'string') {
        if (made.kind === 'refused') return { grant: null, problem: made.why }
        throw new BatonError('unavailable', made.why)
      }
      const token = made
      return {
        problem: null,
        grant: {
          token,
          remote: `${app.web_url}/${context.repository}.git`,
          branch: `baton/${context.job_key}/${lease.runId.slice(-12)}`,
        },
      }
    },
    async endPush(machineId, push) {
      const held = await findGithubPush(deps.db, machineId, push)
      const app = held && (await apps.find(held.context.github_app_id))
      await recordGithubPush(deps.db, machineId, push)
      await tokens.end(push.runId, app && push.token !== null ? { app, token: push.token } : null)
      effects.wake()
    },
  }
}
