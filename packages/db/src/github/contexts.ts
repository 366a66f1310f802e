import type {
  DeliveryId,
  DeliveryState,
  GithubAppId,
  GithubFeedback,
  JobId,
  MachineId,
  OrganizationId,
  Outcome,
  RunId,
  TriggerId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type NewGithubContext = {
  deliveryId: DeliveryId
  organizationId: OrganizationId
  githubAppId: GithubAppId
  triggerId: TriggerId
  installationId: number
  repositoryId: number
  repository: string
  number: number | null
  commentId: number | null
  commentKind: 'issue' | 'review' | null
  headSha: string | null
  baseBranch: string | null
  textHash: string
  actor: string
  feedback: GithubFeedback
}

/**
 * Written before the deliveries are stored, so that none is ever without. Those of deliveries that were not stored after
 * all (a rule skipped them, a relay was killed) say nothing to anybody and are deleted later.
 */
export async function insertGithubContexts(db: Db, contexts: NewGithubContext[]): Promise<void> {
  await sql`
    insert into github_contexts (delivery_id, organization_id, github_app_id, trigger_id, installation_id, repository_id,
      repository, number, comment_id, comment_kind, head_sha, base_branch, text_hash, actor, feedback)
    select c."deliveryId", c."organizationId", c."githubAppId", c."triggerId", c."installationId", c."repositoryId",
      c.repository, c.number, c."commentId", c."commentKind", c."headSha", c."baseBranch", c."textHash", c.actor, c.feedback
    from json_to_recordset(${JSON.stringify(contexts)}::text::json) as c (
      "deliveryId" text, "organizationId" text, "githubAppId" text, "triggerId" text, "installationId" bigint,
      "repositoryId" bigint, repository text, number int, "commentId" bigint, "commentKind" text, "headSha" text,
      "baseBranch" text, "textHash" text, actor text, feedback jsonb)
    on conflict (delivery_id) do nothing`.execute(db)
}

/** How far a delivery is, as GitHub is told: 1 stored, 2 at work, 3 finished. */
export type GithubStage = 1 | 2 | 3

/**
 * Queues what GitHub should be told next of open deliveries: for each effect at most one dispatch at a time, so that
 * two of them never make the same thing twice, and always the newest stage, so that none is told that has passed. What a
 * run's end says waits for its pull request. Answers the deliveries for which something was queued. At most `limit` are
 * looked at, the oldest first; those that wait, for their machine or for what is being sent, are not among them, however
 * many they are.
 */
export async function queueGithubEffects(db: Db, limit: number): Promise<DeliveryId[]> {
  const { rows } = await sql<{ delivery_id: DeliveryId }>`
    with open as materialized (
      select c.delivery_id, c.organization_id, c.feedback, c.number, c.comment_id, c.head_sha, c.pushed_commit,
        d.job_id, d.event_id, d.run_id, s.stage
      from github_contexts c join deliveries d on d.id = c.delivery_id cross join lateral (select
        case when d.finished_at is not null then 3 when d.state in ('running', 'stalled') then 2 else 1 end as stage) s
      where c.done_at is null and case when s.stage = 3 then ${canGoOn} else ${isUntold} end
      order by c.created_at limit ${limit}::int
    ),
    sent as materialized (
      select x.delivery_id, split_part(x.key, ':', 3) as effect, split_part(x.key, ':', 4)::int as stage,
        x.state in ('pending', 'sending') as is_open
      from dispatches x where x.delivery_id = any(array(select delivery_id from open)) and x.key like 'github:%'
    ),
    wanted as (
      select open.*, e.effect, e.kind, e.stages
      from open cross join lateral (values
        ('reaction', 'github_reaction', (feedback ->> 'reaction')::boolean and (number is not null or comment_id is not null), array[1]),
        ('check', 'github_check', (feedback ->> 'check')::boolean and head_sha is not null, array[1, 2, 3]),
        ('comment', 'github_comment', (feedback ->> 'comment')::boolean and number is not null, array[1, 2, 3]),
        ('result', 'github_comment', (feedback ->> 'resultComment')::boolean and number is not null, array[3]),
        ('pull', 'github_pull_request', (feedback ->> 'pullRequest')::boolean and pushed_commit is not null, array[3])
      ) as e (effect, kind, is_wanted, stages)
      where e.is_wanted
    ),
    due as (
      select w.*, (select max(s) from unnest(w.stages) s where s <= w.stage) as due_stage from wanted w
    ),
    queued as (
      insert into dispatches (id, organization_id, job_id, event_id, delivery_id, run_id, kind, key, config, next_at)
      select 'dsp_' || uuid7_hex(), organization_id, job_id, event_id, delivery_id, run_id, kind,
        'github:' || delivery_id || ':' || effect || ':' || due_stage,
        jsonb_build_object('effect', effect, 'stage', due_stage), now()
      from due
      where due_stage is not null
        and not exists (select from sent where sent.delivery_id = due.delivery_id and sent.effect = due.effect
          and (sent.is_open or sent.stage >= due.due_stage))
        and (due_stage < 3 or effect = 'pull' or not exists (select from wanted p
          where p.delivery_id = due.delivery_id and p.effect = 'pull' and not exists (select from sent
            where sent.delivery_id = p.delivery_id and sent.effect = 'pull' and not sent.is_open)))
      on conflict (key) do nothing
      returning delivery_id
    ),
    done as (
      update github_contexts c set done_at = now()
      where c.delivery_id in (select delivery_id from open where stage = 3)
        and not exists (select from due where due.delivery_id = c.delivery_id and due.due_stage is not null
          and not exists (select from sent where sent.delivery_id = due.delivery_id and sent.effect = due.effect
            and not sent.is_open and sent.stage >= due.due_stage))
    )
    select distinct delivery_id from queued`.execute(db)
  return rows.map((row) => row.delivery_id)
}

/** Of what is told before the end, something was not queued yet at this stage or a later one. */
const isUntold = sql`exists (
  select from (values
    ('reaction', 1, (c.feedback ->> 'reaction')::boolean and (c.number is not null or c.comment_id is not null)),
    ('check', s.stage, (c.feedback ->> 'check')::boolean and c.head_sha is not null),
    ('comment', s.stage, (c.feedback ->> 'comment')::boolean and c.number is not null)
  ) as e (effect, stage, is_wanted)
  where e.is_wanted and not exists (select from dispatches x where x.key = any(array(
    select 'github:' || c.delivery_id || ':' || e.effect || ':' || n from generate_series(e.stage, 3) as n))))`

/**
 * Of a finished delivery: nothing is being sent, so there is something to queue or all is told; or something may be queued
 * beside what is being sent.
 */
const canGoOn = sql`(
  not exists (select from dispatches x where x.delivery_id = c.delivery_id and x.key like 'github:%'
    and x.state in ('pending', 'sending'))
  or exists (
    select from (values
      ('reaction', 1, (c.feedback ->> 'reaction')::boolean and (c.number is not null or c.comment_id is not null)),
      ('check', 3, (c.feedback ->> 'check')::boolean and c.head_sha is not null),
      ('comment', 3, (c.feedback ->> 'comment')::boolean and c.number is not null),
      ('result', 3, (c.feedback ->> 'resultComment')::boolean and c.number is not null),
      ('pull', 3, (c.feedback ->> 'pullRequest')::boolean and c.pushed_commit is not null)
    ) as e (effect, stage, is_wanted)
    where e.is_wanted
      and not exists (select from dispatches x where x.delivery_id = c.delivery_id and x.key like 'github:%'
        and split_part(x.key, ':', 3) = e.effect
        and (x.state in ('pending', 'sending') or split_part(x.key, ':', 4)::int >= e.stage))
      and (e.stage < 3 or e.effect = 'pull' or not ((c.feedback ->> 'pullRequest')::boolean and c.pushed_commit is not null)
        or exists (select from dispatches x where x.delivery_id = c.delivery_id and x.key like 'github:%:pull:%'
          and x.state not in ('pending', 'sending')))))`

/** What a sender needs to know of one delivery: where it belongs on GitHub and how its work stands. */
export type GithubContextRow = {
  delivery_id: DeliveryId
  organization_id: OrganizationId
  github_app_id: GithubAppId
  installation_id: number
  repository_id: number
  repository: string
  number: number | null
  comment_id: number | null
  comment_kind: 'issue' | 'review' | null
  head_sha: string | null
  base_branch: string | null
  actor: string
  feedback: GithubFeedback
  pushed_branch: string | null
  pushed_commit: string | null
  push_problem: string | null
  created_at: Date
  state: DeliveryState
  reason_message: string | null
  run_id: RunId
  run_started: boolean
  outcome: Outcome | null
  result: string | null
  message: string | null
  started_at: Date | null
  finished_at: Date | null
  job_id: JobId
  job_key: string
  agent_name: string
  machine_name: string
}

export async function findGithubContext(db: Db, deliveryId: DeliveryId): Promise<GithubContextRow | null> {
  const { rows } = await sql<GithubContextRow>`
    select c.delivery_id, c.organization_id, c.github_app_id, c.installation_id, c.repository_id, c.repository, c.number,
      c.comment_id, c.comment_kind, c.head_sha, c.base_branch, c.actor, c.feedback, c.pushed_branch, c.pushed_commit,
      c.push_problem, c.created_at, d.state, d.reason_message, d.run_id, r.id is not null as run_started, r.outcome,
      r.result, r.message, r.started_at, r.finished_at, d.job_id, j.key as job_key, a.name as agent_name,
      m.name as machine_name
    from github_contexts c join deliveries d on d.id = c.delivery_id join jobs j on j.id = d.job_id
      join agents a on a.id = d.agent_id join machines m on m.id = d.machine_id left join runs r on r.id = d.run_id
    where c.delivery_id = ${deliveryId}`.execute(db)
  return rows[0] ?? null
}

/** What the machine that holds this lease may push: null when the lease is not (or no longer) its own, or nothing is. */
export async function findGithubPush(
  db: Db,
  machineId: MachineId,
  lease: { runId: RunId; fence: number },
): Promise<{ context: GithubContextRow } | null> {
  const { rows } = await sql<{ delivery_id: DeliveryId }>`
    select d.id as delivery_id from deliveries d join github_contexts c on c.delivery_id = d.id
    where d.run_id = ${lease.runId} and d.fence = ${lease.fence} and d.machine_id = ${machineId}
      and d.accepted_at is not null and d.finished_at is null and (c.feedback ->> 'pullRequest')::boolean`.execute(
    db,
  )
  const context = rows[0] ? await findGithubContext(db, rows[0].delivery_id) : null
  return context ? { context } : null
}

/** What became of the push, from the machine that holds the lease. False: it does not hold it any more. */
export async function recordGithubPush(
  db: Db,
  machineId: MachineId,
  push: { runId: RunId; fence: number; branch: string | null; commit: string | null; problem: string | null },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update github_contexts c set pushed_branch = ${push.branch}::text, pushed_commit = ${push.commit}::text,
      push_problem = ${push.problem}::text
    from deliveries d where d.id = c.delivery_id and d.run_id = ${push.runId} and d.fence = ${push.fence}
      and d.machine_id = ${machineId} and d.finished_at is null`.execute(db)
  return numAffectedRows === 1n
}

/** Contexts without a delivery, and arrivals that GitHub does not list any more. */
export async function deleteOldGithubRows(db: Db): Promise<void> {
  await sql`
    with contexts as (
      delete from github_contexts c where c.created_at < now() - interval '1 hour'
        and not exists (select from deliveries d where d.id = c.delivery_id)
    ),
    setups as (delete from github_setups where expires_at < now() - interval '7 days')
    delete from github_arrivals where arrived_at < now() - interval '14 days'`.execute(db)
}
