import {
  type ClaimedGithubEvent,
  claimGithubEvents,
  type Db,
  ignoreGithubEvent,
  insertGithubContexts,
  listGithubTriggers,
  postponeGithubEvent,
  settleGithubEvent,
} from '@baton/db'
import { createPollLoop, type Logger, type PollLoop } from '@baton/service'
import { parseJsonBody } from '@baton/webhooks'
import { BACKLOG_REASON, type Backlog, isBacklogFull } from '../deliveries/backlog.ts'
import type { Intake } from '../inbox/intake.ts'
import type { ChangeFeed } from '../live/change-feed.ts'
import { decideTriggers } from './decide-triggers.ts'
import type { GithubApi } from './github-api.ts'
import type { KnownApps } from './known-apps.ts'
import { planFirings } from './plan-firings.ts'
import { readEvent } from './read-event.ts'
import { readFailure } from './read-failure.ts'

const EVERY_MS = 1_000
const AT_ONCE = 8
/** Longer than the calls of one decision may take. */
const CLAIM_MS = 120_000
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 600_000
/** GitHub's own answers are kept for three days; an event that could not be decided by then is given up, visibly. */
const GIVE_UP_AFTER_MS = 3 * 86_400_000

/** What the matcher asks GitHub for before anything runs. */
const LOOK = { metadata: 'read', issues: 'read', pull_requests: 'read', contents: 'read' }

type Deps = {
  db: Db
  api: GithubApi
  apps: KnownApps
  intake: Intake
  backlog: Backlog
  changes: ChangeFeed
  log: Logger
  now: () => number
}

/**
 * Decides stored events: an event stays `accepted` until GitHub has said who its actors are. A decision is committed by the
 * statement that stores its deliveries, so a relay that is killed anywhere before leaves an event that another one
 * decides, and two that decide it at once store it once.
 */
export function createGithubMatcher(deps: Deps): PollLoop {
  const underWay = new Set<Promise<void>>()
  const onError = (error: unknown) =>
    deps.log.warn({ error }, 'events of GitHub could not be looked at; the next try is in a second')

  /** Fills the free places and waits for none of them: GitHub's answer to one event must not hold up the others. */
  async function pass() {
    const free = AT_ONCE - underWay.size
    if (free === 0) return
    const events = await claimGithubEvents(deps.db, { limit: free, claimMs: CLAIM_MS })
    for (const event of events) {
      const decision: Promise<void> = decideOrPostpone(deps, event)
        .catch(onError)
        .finally(() => {
          underWay.delete(decision)
          if (events.length === free) loop.wake()
        })
      underWay.add(decision)
    }
  }
  const loop = createPollLoop({ everyMs: EVERY_MS, jitter: 0.1, run: pass, onError })
  return {
    ...loop,
    async stop() {
      await loop.stop()
      await Promise.all(underWay)
    },
  }
}

async function decideOrPostpone(deps: Deps, event: ClaimedGithubEvent): Promise<void> {
  try {
    await decideEvent(deps, event)
    deps.changes.tell(event.organization_id, 'event', event.event_id)
  } catch (error) {
    // It waits as long as it takes: everything about it is known but where to put it.
    if (isBacklogFull(error))
      return await postponeGithubEvent(deps.db, event.event_id, {
        message: BACKLOG_REASON,
        afterMs: pauseAfter(event.tries),
      })
    const failure = readFailure(error, deps.now())
    deps.log.warn({ event: event.event_id, tries: event.tries, why: failure.why }, 'an event of GitHub waits')
    const age = deps.now() - event.received_at.getTime()
    if (failure.kind === 'refused' && failure.status !== null && event.tries >= 5)
      return await giveUp(deps, event, failure.why)
    if (age > GIVE_UP_AFTER_MS) return await giveUp(deps, event, failure.why)
    await postponeGithubEvent(deps.db, event.event_id, {
      message: failure.why,
      afterMs: Math.max(failure.afterMs ?? 0, pauseAfter(event.tries)),
    })
  }
}

const pauseAfter = (tries: number) =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tries, 10), LONGEST_PAUSE_MS) * (0.8 + Math.random() * 0.4)

/** Without GitHub's answer nothing runs. */
async function giveUp(deps: Deps, event: ClaimedGithubEvent, why: string): Promise<void> {
  await ignoreGithubEvent(deps.db, event.event_id, {
    reason: 'actor_refused',
    message: `GitHub could not be asked who made this event: ${why}`,
    verdicts: [],
  })
}

async function decideEvent(deps: Deps, event: ClaimedGithubEvent): Promise<void> {
  const app = await deps.apps.find(event.github_app_id)
  const json = parseJsonBody(event.body)
  const payload = json.ok ? json.value : null
  const subject = readEvent(event.name, payload)
  if (!app || !subject) {
    return await ignoreGithubEvent(deps.db, event.event_id, {
      reason: 'no_job',
      message: app
        ? `No trigger can listen to ${event.name}${event.action ? ` ${event.action}` : ''}.`
        : 'Its GitHub App was removed.',
      verdicts: [],
    })
  }
  const triggers = await listGithubTriggers(deps.db, event.organization_id)
  const scope = {
    installationId: subject.installationId,
    repositoryId: subject.repository.id,
    permissions: LOOK,
  }
  const decision = await decideTriggers(subject, app, triggers, {
    assertRoom: (machineId) => deps.backlog.assertRoom(machineId),
    openCall: () => deps.api.asInstallation(app, scope),
  })
  if (decision.ignored)
    return await ignoreGithubEvent(deps.db, event.event_id, {
      ...decision.ignored,
      verdicts: decision.verdicts,
    })
  const plan = planFirings(event, app, payload, decision.firings)
  await insertGithubContexts(deps.db, plan.contexts)
  await deps.intake.accept(plan.event)
  await settleGithubEvent(deps.db, event.event_id, decision.verdicts)
}
