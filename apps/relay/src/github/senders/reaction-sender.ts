import type { OutputSender } from '../../outputs/output-sender.ts'
import { openPlace, type SenderDeps, toSendResult } from './effect-place.ts'

/** Eyes on what fired the job. GitHub keeps one reaction of a kind per person, so sending it again is harmless. */
export function createReactionSender(deps: SenderDeps): OutputSender<'github_reaction'> {
  return {
    kind: 'github_reaction',
    async send(dispatch, context) {
      try {
        const place = await openPlace(deps, dispatch, { issues: 'write', pull_requests: 'write' }, context)
        if ('result' in place) return place
        const { row, owner, repo } = place
        const { data } = await (row.comment_id === null
          ? place.call<{ id: number }>('POST /repos/{owner}/{repo}/issues/{issue_number}/reactions', {
              owner,
              repo,
              issue_number: row.number,
              content: 'eyes',
            })
          : place.call<{ id: number }>(
              row.comment_kind === 'review'
                ? 'POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions'
                : 'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
              { owner, repo, comment_id: row.comment_id, content: 'eyes' },
            ))
        return { result: 'sent', externalId: String(data.id) }
      } catch (error) {
        return toSendResult(error, context.now())
      }
    },
    // The same reaction again is the first one.
    readBack: async () => ({ result: 'absent' }),
  }
}
