import { findGithubContext } from '@baton/db'
import type { ClaimedDispatch, ReadBackResult, SendContext, SendResult } from '../../outputs/output-sender.ts'
import type { GithubCall } from '../github-api.ts'
import type { KnownApp } from '../known-apps.ts'
import { isMissing, readFailure } from '../read-failure.ts'
import { hiddenMarker, quiet } from '../render-feedback.ts'
import type { SenderDeps } from './effect-place.ts'
import { type CommentAnswer, findOwnComments } from './own-comments.ts'

const BODY_LIMIT = 65_000
const PERMISSIONS = { metadata: 'read', issues: 'write', pull_requests: 'write' }

type Target = { app: KnownApp; call: GithubCall; owner: string; repo: string; number: number }
type Dispatch = ClaimedDispatch<'github_comment'>

/** A comment that a job's output asks for: where the event came from, or where its config says. */
export async function postOutputComment(
  deps: SenderDeps,
  dispatch: Dispatch,
  context: SendContext,
): Promise<SendResult> {
  const target = await findTarget(deps, dispatch)
  if ('result' in target) return target
  const marker = hiddenMarker(dispatch.marker.replace(/^baton:/, ''))
  const text = quiet(context.message.body)
  const body = text.length > BODY_LIMIT ? `${text.slice(0, BODY_LIMIT).toWellFormed()}\n\n*(cut)*` : text
  const { data } = await target.call<CommentAnswer>(
    'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
    {
      owner: target.owner,
      repo: target.repo,
      issue_number: target.number,
      body: `${body}\n\n${marker}`,
    },
  )
  return { result: 'sent', externalId: String(data.id), url: data.html_url }
}

export async function readBackOutputComment(
  deps: SenderDeps,
  dispatch: Dispatch,
  context: SendContext,
): Promise<ReadBackResult> {
  try {
    const target = await findTarget(deps, dispatch)
    if ('result' in target) return { result: 'absent' }
    const [found] = await findOwnComments(target.call, target.app, {
      ...target,
      text: hiddenMarker(dispatch.marker.replace(/^baton:/, '')),
      since: new Date(dispatch.firstTriedAt - 3_600_000).toISOString(),
    })
    return found
      ? { result: 'sent', externalId: String(found.id), url: found.html_url }
      : { result: 'absent' }
  } catch (error) {
    const failure = readFailure(error, context.now())
    return { result: 'unknown', why: failure.why, afterMs: failure.afterMs }
  }
}

async function findTarget(
  deps: SenderDeps,
  dispatch: Dispatch,
): Promise<Target | { result: 'failed'; why: string }> {
  const row = dispatch.deliveryId ? await findGithubContext(deps.db, dispatch.deliveryId) : null
  const repository = dispatch.config.repository ?? row?.repository
  const number = dispatch.config.number ?? (repository === row?.repository ? row?.number : null)
  if (!repository || !number)
    return {
      result: 'failed',
      why: 'The event names no issue or pull request: give the output a repository and a number.',
    }
  const [owner = '', repo = ''] = repository.split('/')
  const apps = (await deps.apps.list()).filter((one) => one.organization_id === dispatch.organizationId)
  for (const app of apps) {
    const place = await findInstallation(deps, app, owner, repo)
    if (!place) continue
    const call = await deps.api.asInstallation(app, { ...place, permissions: PERMISSIONS })
    return { app, call, owner, repo, number }
  }
  return { result: 'failed', why: `No GitHub App of this organization is installed on ${repository}.` }
}

async function findInstallation(deps: SenderDeps, app: KnownApp, owner: string, repo: string) {
  const asApp = await deps.api.asApp(app)
  try {
    const { data } = await asApp<{ id: number }>('GET /repos/{owner}/{repo}/installation', { owner, repo })
    const whole = await deps.api.asWholeInstallation(app, data.id)
    const repository = await whole<{ id: number }>('GET /repos/{owner}/{repo}', { owner, repo })
    return { installationId: data.id, repositoryId: repository.data.id }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
