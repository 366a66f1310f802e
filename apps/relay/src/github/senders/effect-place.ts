import { type Db, findGithubContext, type GithubContextRow, listEffects } from '@baton/db'
import type { ClaimedDispatch, SendContext, SendResult } from '../../outputs/output-sender.ts'
import type { GithubApi, GithubCall } from '../github-api.ts'
import type { KnownApp, KnownApps } from '../known-apps.ts'
import { readFailure } from '../read-failure.ts'

export type SenderDeps = { db: Db; api: GithubApi; apps: KnownApps }

/** Where an effect of a delivery goes and how its work stands now: what is told is always the newest. */
export type EffectPlace = {
  row: GithubContextRow
  app: KnownApp
  call: GithubCall
  owner: string
  repo: string
  effect: string
  stage: number
  /** The same for every stage and try of this effect of this delivery. */
  marker: string
  /** What an earlier stage made. */
  known: string | null
  /** Of the pull request of this delivery. */
  pullUrl: string | null
  runUrl: string
}

export async function openPlace(
  deps: SenderDeps,
  dispatch: ClaimedDispatch,
  permissions: Record<string, string>,
  context: Pick<SendContext, 'publicUrl'>,
): Promise<EffectPlace | { result: 'failed'; why: string }> {
  const row = dispatch.deliveryId ? await findGithubContext(deps.db, dispatch.deliveryId) : null
  if (!row) return { result: 'failed', why: 'What it is about is not kept any longer.' }
  const app = await deps.apps.find(row.github_app_id)
  if (!app) return { result: 'failed', why: 'Its GitHub App was removed from Baton.' }
  const { effect, stage } = dispatch.config as { effect: string; stage: number }
  const effects = await listEffects(deps.db, row.delivery_id)
  const sent = effects.filter((one) => one.state === 'sent' && one.key.startsWith('github:'))
  const of = (name: string) => sent.filter((one) => one.key.split(':')[2] === name)
  const [owner = '', repo = ''] = row.repository.split('/')
  return {
    row,
    app,
    owner,
    repo,
    effect,
    stage,
    call: await deps.api.asInstallation(app, {
      installationId: row.installation_id,
      repositoryId: row.repository_id,
      permissions: { metadata: 'read', ...permissions },
    }),
    marker: `${row.delivery_id}:${effect}`,
    known: of(effect).findLast((one) => one.externalId !== null)?.externalId ?? null,
    pullUrl: of('pull').at(-1)?.url ?? null,
    runUrl: `${context.publicUrl}/runs/${row.run_id}`,
  }
}

/** The same words for every failure of a call, so that the ledger decides alike. */
export function toSendResult(error: unknown, nowMs: number): SendResult {
  const failure = readFailure(error, nowMs)
  switch (failure.kind) {
    case 'refused':
      return { result: 'failed', why: failure.why }
    case 'later':
      return { result: 'retry', why: failure.why, afterMs: failure.afterMs }
    case 'unknown':
      return { result: 'unknown', why: failure.why }
  }
}
