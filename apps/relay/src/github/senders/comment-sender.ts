import type { ClaimedDispatch, OutputSender, SendContext, SendResult } from '../../outputs/output-sender.ts'
import { hiddenMarker, renderComment, renderResult } from '../render-feedback.ts'
import { type EffectPlace, openPlace, type SenderDeps, toSendResult } from './effect-place.ts'
import { postOutputComment, readBackOutputComment } from './output-comment.ts'
import { type CommentAnswer, findOwnComments } from './own-comments.ts'

const PERMISSIONS = { issues: 'write', pull_requests: 'write' }

/**
 * Comments: the one that follows a run, made once and changed in place, the result apart from it where a trigger asks for
 * that, and those of jobs with a `github_comment` output. Each is looked for by its hidden marker before it is made again.
 */
export function createCommentSender(deps: SenderDeps): OutputSender<'github_comment'> {
  return {
    kind: 'github_comment',
    async send(dispatch, context) {
      try {
        return dispatch.outputId === null
          ? await tell(deps, dispatch, context)
          : await postOutputComment(deps, dispatch, context)
      } catch (error) {
        return toSendResult(error, context.now())
      }
    },
    async readBack(dispatch, context) {
      // Of an effect `send` looks for itself, because it may have to be changed all the same.
      return dispatch.outputId === null
        ? { result: 'absent' }
        : await readBackOutputComment(deps, dispatch, context)
    },
  }
}

async function tell(
  deps: SenderDeps,
  dispatch: ClaimedDispatch<'github_comment'>,
  context: SendContext,
): Promise<SendResult> {
  const place = await openPlace(deps, dispatch, PERMISSIONS, context)
  if ('result' in place) return place
  const { row, marker, pullUrl, runUrl: url } = place
  const body =
    place.effect === 'result'
      ? renderResult(row, { marker, url })
      : renderComment(row, { marker, url, pullUrl })
  const id = place.known ?? (dispatch.tries > 1 || place.stage > 1 ? await findOne(place) : null)
  const { data } = id === null ? await make(place, body) : await change(place, id, body)
  return { result: 'sent', externalId: String(data.id), url: data.html_url }
}

/** The oldest of ours; younger ones, left by a request that came in very late, are deleted. */
async function findOne(place: EffectPlace): Promise<string | null> {
  const { owner, repo } = place
  const since = new Date(place.row.created_at.getTime() - 3_600_000).toISOString()
  const own = await findOwnComments(place.call, place.app, {
    owner,
    repo,
    number: place.row.number ?? 0,
    text: hiddenMarker(place.marker),
    since,
  })
  for (const extra of own.slice(1))
    await place.call('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      owner,
      repo,
      comment_id: extra.id,
    })
  return own[0] ? String(own[0].id) : null
}

const make = ({ call, owner, repo, row }: EffectPlace, body: string) =>
  call<CommentAnswer>('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    owner,
    repo,
    issue_number: row.number,
    body,
  })

const change = ({ call, owner, repo }: EffectPlace, id: string, body: string) =>
  call<CommentAnswer>('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
    owner,
    repo,
    comment_id: Number(id),
    body,
  })
