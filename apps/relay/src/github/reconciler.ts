import {
  claimGithubReconciliations,
  type Db,
  finishGithubReconciliation,
  type GithubReconcileClaim,
  listMissingGithubGuids,
} from '@baton/db'
import type { GithubAppId } from '@baton/protocol'
import { createPollLoop, type Logger, type PollLoop } from '@baton/service'
import type { GithubAnswer, GithubApi, GithubCall } from './github-api.ts'
import type { KnownApps } from './known-apps.ts'
import { readFailure } from './read-failure.ts'

const LOOK_EVERY_MS = 2_000
const EVERY_MS = 600_000
/** Sooner when something was asked for again, until it has arrived. */
const AGAIN_MS = 15_000
const CLAIM_MS = 300_000
/** GitHub sends again what is at most three days old. */
const KEPT_MS = 3 * 86_400_000
/** Listed deliveries can come a little out of order, and clocks differ. */
const OVERLAP_MS = 300_000
/** How often GitHub may have tried before a delivery is given up: then it is refused here each time. */
const MOST_TRIES = 8
const MOST_AT_ONCE = 500
/** Of more that is missing only the number and the oldest time are kept; the next looks come to it. */
const MOST_KEPT = 5_000

type Listed = { id: number; guid: string; delivered_at: string; status_code: number }
type Deps = { db: Db; api: GithubApi; apps: KnownApps; log: Logger; now: () => number }

export type GithubReconciler = PollLoop & {
  /** Looks now. False: another look is under way. */
  lookNow(id: GithubAppId): Promise<boolean>
}

/**
 * GitHub never sends a delivery again by itself. At start and every ten minutes each App's deliveries are listed back to
 * where all had arrived, those that have not are asked for again, and the mark moves up only to what has arrived or was
 * given up. Any number of relays run this; a conditional update lets one at a time do it for an App.
 */
export function createGithubReconciler(deps: Deps): GithubReconciler {
  async function pass() {
    const claims = await claimGithubReconciliations(deps.db, { claimMs: CLAIM_MS })
    await Promise.all(claims.map((claim) => reconcile(deps, claim)))
  }
  const loop = createPollLoop({
    everyMs: LOOK_EVERY_MS,
    jitter: 0.2,
    run: pass,
    onError: (error) => deps.log.warn({ error }, 'missed deliveries of GitHub could not be looked for'),
  })
  return {
    ...loop,
    async lookNow(id) {
      const [claim] = await claimGithubReconciliations(deps.db, { claimMs: CLAIM_MS, now: id })
      if (claim) await reconcile(deps, claim)
      return claim !== undefined
    },
  }
}

async function reconcile(deps: Deps, claim: GithubReconcileClaim): Promise<void> {
  const app = await deps.apps.find(claim.id)
  if (!app) return
  const none = { listed: 0, missing: 0, redelivered: 0, givenUp: 0 }
  try {
    const call = await deps.api.asApp(app)
    const oldest = Math.max(claim.reconciledTo - OVERLAP_MS, deps.now() - KEPT_MS)
    const found = await findMissing(deps, claim, call, oldest)
    const open = [...found.missing.values()].filter(({ tries }) => tries < MOST_TRIES)
    const asked = open.slice(0, MOST_AT_ONCE)
    for (const { newest } of asked) await redeliver(call, newest)
    const oldestOpen = Math.min(found.uncountedAt, ...open.map(({ oldestAt }) => oldestAt))
    const report = {
      listed: found.listed,
      missing: found.missing.size + found.uncounted,
      redelivered: asked.length,
      givenUp: found.missing.size - open.length,
      error: null,
    }
    if (asked.length > 0)
      deps.log.info({ app: app.slug, ...report }, 'GitHub was asked to send deliveries again')
    await finishGithubReconciliation(deps.db, claim, {
      reconciledTo: Math.min(found.newestAt ?? claim.reconciledTo, oldestOpen),
      nextMs: open.length > 0 ? AGAIN_MS : EVERY_MS,
      report,
    })
  } catch (error) {
    const failure = readFailure(error, deps.now())
    deps.log.warn({ app: app.slug, why: failure.why }, 'missed deliveries of GitHub could not be looked for')
    await finishGithubReconciliation(deps.db, claim, {
      reconciledTo: claim.reconciledTo,
      nextMs: Math.max(failure.afterMs ?? 0, 60_000),
      report: { ...none, error: failure.why },
    })
  }
}

/** What never arrived: how often GitHub tried, the number of the newest try, and when the oldest one was. */
type Missing = { tries: number; newest: number; oldestAt: number }
type Found = {
  /** Listed tries, of what arrived too. */
  listed: number
  newestAt: number | null
  /** By id, the newest first; at most `MOST_KEPT`. */
  missing: Map<string, Missing>
  /** What is missing besides, and since when. */
  uncounted: number
  uncountedAt: number
}

/** Page by page, so that memory does not grow with what GitHub has listed since the last look. */
async function findMissing(
  { db }: Deps,
  { id }: GithubReconcileClaim,
  call: GithubCall,
  oldest: number,
): Promise<Found> {
  const found: Found = { listed: 0, newestAt: null, missing: new Map(), uncounted: 0, uncountedAt: Infinity }
  for await (const page of listDeliveries(call, oldest)) {
    const absent = await listMissingGithubGuids(db, id, [...new Set(page.map((one) => one.guid))])
    for (const one of page) {
      found.listed += 1
      const at = Date.parse(one.delivered_at)
      found.newestAt ??= at
      const known = found.missing.get(one.guid)
      if (known) {
        known.tries += 1
        known.oldestAt = at
      } else if (absent.has(one.guid) && found.missing.size < MOST_KEPT) {
        found.missing.set(one.guid, { tries: 1, newest: one.id, oldestAt: at })
      } else if (absent.has(one.guid)) {
        found.uncounted += 1
        found.uncountedAt = at
      }
    }
  }
  return found
}

/** Pages, the newest first, back to this time. */
async function* listDeliveries(call: GithubCall, oldest: number): AsyncGenerator<Listed[]> {
  let cursor: string | null = null
  do {
    const { data, headers }: GithubAnswer<Listed[]> = await call('GET /app/hook/deliveries', {
      per_page: 100,
      ...(cursor !== null && { cursor }),
    })
    yield data.filter((one) => Date.parse(one.delivered_at) >= oldest)
    const isPast = data.some((one) => Date.parse(one.delivered_at) < oldest)
    cursor = isPast ? null : nextCursor(String(headers.link ?? ''))
  } while (cursor !== null)
}

function nextCursor(link: string): string | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link)?.[1]
  return next ? (URL.parse(next)?.searchParams.get('cursor') ?? null) : null
}

async function redeliver(call: GithubCall, deliveryId: number): Promise<void> {
  await call('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id: deliveryId })
}
