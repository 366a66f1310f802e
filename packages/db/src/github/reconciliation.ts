import type { GithubAppId, GithubReconciliation } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type GithubReconcileClaim = { id: GithubAppId; claim: number; reconciledTo: number }

/** Takes the Apps that are due into one relay's hand. `now` asks for this App although it is not due. */
export async function claimGithubReconciliations(
  db: Db,
  options: { claimMs: number; now?: GithubAppId },
): Promise<GithubReconcileClaim[]> {
  const { rows } = await sql<{ id: GithubAppId; reconcile_claim: number; reconciled_to: Date }>`
    update github_apps set reconcile_claim = reconcile_claim + 1,
      reconcile_claimed_until = now() + ${options.claimMs}::int * interval '1 ms'
    where removed_at is null and (reconcile_claimed_until is null or reconcile_claimed_until < now())
      and ${options.now ? sql`id = ${options.now}` : sql`reconcile_at <= now()`}
    returning id, reconcile_claim, reconciled_to`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    claim: row.reconcile_claim,
    reconciledTo: row.reconciled_to.getTime(),
  }))
}

/** Which of these delivery ids never arrived here. */
export async function listMissingGithubGuids(db: Db, id: GithubAppId, guids: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ guid: string }>`
    select x.guid from unnest(${guids}::text[]) as x (guid)
    where not exists (select from github_arrivals a where a.github_app_id = ${id} and a.guid = x.guid)`.execute(
    db,
  )
  return new Set(rows.map((row) => row.guid))
}

/** Ends a look; what a claim says that another has overtaken changes nothing. */
export async function finishGithubReconciliation(
  db: Db,
  claim: GithubReconcileClaim,
  end: { reconciledTo: number; nextMs: number; report: Omit<GithubReconciliation, 'at'> },
): Promise<void> {
  await sql`
    update github_apps set reconcile_claimed_until = null, reconciled_to = greatest(reconciled_to, to_timestamp(${end.reconciledTo / 1000}::float8)),
      reconcile_at = now() + ${Math.round(end.nextMs)}::bigint * interval '1 ms',
      reconciliation = ${JSON.stringify(end.report)}::text::jsonb || jsonb_build_object('at', floor(extract(epoch from now()) * 1000))
    where id = ${claim.id} and reconcile_claim = ${claim.claim}`.execute(db)
}
