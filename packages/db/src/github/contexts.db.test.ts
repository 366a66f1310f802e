import { makeDelivery, makePlace, newTestId, type Place, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { beginExport, insertGithubApp, insertGithubContexts, queueGithubEffects } from '../index.ts'

const database = useTestDatabase()
let place: Place
const githubAppId = newTestId('githubApp')
const [jobId, triggerId] = [newTestId('job'), newTestId('trigger')]

beforeAll(async () => {
  const { db } = database
  place = await makePlace(db)
  const { organizationId, agentId } = place
  await sql`insert into jobs (id, organization_id, agent_id, key, name, prompt, limits, rules)
    values (${jobId}, ${organizationId}, ${agentId}, 'job', 'Job', 'x', '{}', '{}')`.execute(db)
  await sql`insert into triggers (id, organization_id, job_id, kind)
    values (${triggerId}, ${organizationId}, ${jobId}, 'github')`.execute(db)
  await insertGithubApp(db, organizationId, {
    id: githubAppId,
    appId: 1,
    slug: 'baton',
    name: 'Baton',
    apiUrl: 'https://api.example',
    webUrl: 'https://example',
    htmlUrl: 'https://example/apps/baton',
    clientId: null,
    sealedPrivateKey: 'sealed',
    sealedWebhookSecret: 'sealed',
    sealedClientSecret: null,
  })
})

/** A delivery that a pull request has fired. */
async function fire() {
  const { id } = await makeDelivery(database.db, place, { jobId, delivery: { jobId } })
  const feedback = { reaction: true, comment: true, resultComment: false, check: true, pullRequest: false }
  await insertGithubContexts(database.db, [
    {
      deliveryId: id,
      organizationId: place.organizationId,
      githubAppId,
      triggerId,
      installationId: 1,
      repositoryId: 2,
      repository: 'octo/repo',
      number: 3,
      commentId: null,
      commentKind: null,
      headSha: '1'.repeat(40),
      baseBranch: 'main',
      textHash: 'hash',
      actor: 'octocat',
      feedback,
    },
  ])
  return id
}

const keys = async (id: string) =>
  (
    await sql<{ key: string }>`select key from dispatches where delivery_id = ${id} order by key`.execute(
      database.db,
    )
  ).rows.map(({ key }) => key.split(':').slice(2).join(':'))
const settle = () =>
  sql`update dispatches set state = 'sent', next_at = null, finished_at = now()`.execute(database.db)

test('an export names the GitHub Apps that must be connected again, and nothing of their keys', async () => {
  const { makeAnew } = await beginExport(database.db, place.organizationId)
  expect(makeAnew.githubApps).toEqual([{ slug: 'baton', webUrl: 'https://example', appId: 1 }])
  expect(JSON.stringify(makeAnew)).not.toContain('sealed')
})

test('deliveries that wait for long do not keep GitHub from hearing of later ones, or of their own next stage', async () => {
  const { db } = database
  const waiting = [await fire(), await fire()]
  expect((await queueGithubEffects(db, 2)).toSorted()).toEqual(waiting.toSorted())
  expect(await queueGithubEffects(db, 2)).toEqual([])
  await settle()

  const later = await fire()
  expect(await queueGithubEffects(db, 2)).toEqual([later])
  expect(await keys(later)).toEqual(['check:1', 'comment:1', 'reaction:1'])
  await settle()

  await sql`update deliveries set state = 'running', fence = 1, accepted_at = now(), lease_expires_at = now() + interval '1 hour'
    where id = ${waiting[0]}`.execute(db)
  expect(await queueGithubEffects(db, 2)).toEqual([waiting[0]])
  expect(await queueGithubEffects(db, 2)).toEqual([])
  await settle()
  // It waits again after it has run, for its account say: what was told is not told once more.
  await sql`update deliveries set state = 'pending', lease_expires_at = null where id = ${waiting[0]}`.execute(
    db,
  )
  expect(await queueGithubEffects(db, 2)).toEqual([])
  expect(await keys(waiting[0] ?? '')).toEqual(['check:1', 'check:2', 'comment:1', 'comment:2', 'reaction:1'])
})

test('finished deliveries that wait for an answer of GitHub do not keep it from hearing of later ones', async () => {
  const { db } = database
  const finish = (ids: string[]) =>
    sql`update deliveries set state = 'succeeded', lease_expires_at = null, finished_at = now() where id = any(${ids}::text[])`.execute(
      db,
    )
  await finish((await sql<{ id: string }>`select id from deliveries`.execute(db)).rows.map(({ id }) => id))
  for (let queued = 1; queued > 0; queued = (await queueGithubEffects(db, 100)).length) await settle()

  const stuck = [await fire(), await fire()]
  await finish(stuck)
  expect((await queueGithubEffects(db, 2)).toSorted()).toEqual(stuck.toSorted())
  // GitHub does not answer: all of theirs stays under way.
  const later = await fire()
  await finish([later])
  expect(await queueGithubEffects(db, 2)).toEqual([later])
  expect(await keys(later)).toEqual(['check:3', 'comment:3', 'reaction:1'])
  await settle()
  expect(await queueGithubEffects(db, 100)).toEqual([])
  const { rows } = await sql`select from github_contexts where done_at is null`.execute(db)
  expect(rows).toEqual([])
})
