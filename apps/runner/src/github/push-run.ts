import { setTimeout as wait } from 'node:timers/promises'
import type { GithubPushGrant, LeaseRef, PushedDelivery, SettleReport } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { pushBranch } from './push-branch.ts'

type PushedReport = LeaseRef & {
  branch: string | null
  commit: string | null
  problem: string | null
  token: string | null
}

/** What a run needs for its push; `answered` makes a call until the relay has answered it. */
export type PushPlace = {
  delivery: PushedDelivery
  lease: LeaseRef
  logger: Logger
  signal: AbortSignal
  calls: {
    githubToken(lease: LeaseRef): Promise<GithubPushGrant>
    githubPushed(report: PushedReport): Promise<unknown>
  }
  answered<T>(call: () => Promise<T>): Promise<T>
}

const LONGEST_MS = 180_000
const TRIES = 3
const PAUSE_MS = 2_000

/**
 * Pushes the branch of a run that GitHub asked for, before its end is reported, so that the relay can open the pull
 * request. A runner that is killed anywhere in here does all of it again: the same commit to the same branch. It never
 * throws; a push that fails is told and the run ends all the same.
 */
export async function pushRun(place: PushPlace, settle: SettleReport): Promise<void> {
  const { changes } = settle
  const mayPush =
    place.delivery.event.source === 'github' &&
    settle.state === 'succeeded' &&
    changes?.worktree != null &&
    changes.headCommit !== null &&
    changes.headCommit !== changes.baseCommit
  if (!mayPush || changes?.worktree == null || changes.headCommit === null) return
  const signal = AbortSignal.any([place.signal, AbortSignal.timeout(LONGEST_MS)])
  try {
    const { grant, problem } = await place.answered(() => place.calls.githubToken(place.lease))
    if (grant === null && problem === null) return
    const commit = changes.headCommit
    const worktree = changes.worktree
    const why = grant === null ? problem : await tryToPush({ ...grant, worktree, commit }, signal)
    if (why !== null) place.logger.warn({ why }, 'The branch of a run could not be pushed.')
    const isThere = grant !== null && why === null
    await place.answered(() =>
      place.calls.githubPushed({
        ...place.lease,
        branch: isThere ? grant.branch : null,
        commit: isThere ? commit : null,
        problem: why,
        token: grant?.token ?? null,
      }),
    )
  } catch (error) {
    if (!place.signal.aborted) place.logger.warn({ error }, 'The push of a run could not be carried out.')
  }
}

async function tryToPush(
  push: Parameters<typeof pushBranch>[0],
  signal: AbortSignal,
): Promise<string | null> {
  for (let tries = 1; ; tries += 1) {
    const why = await pushBranch(push, signal).catch((error: Error) =>
      error.message.replaceAll(push.token, '***'),
    )
    if (why === null || tries === TRIES || signal.aborted) return why
    await wait(PAUSE_MS, undefined, { signal }).catch(() => undefined)
  }
}
