import type { OutputSender } from '../../outputs/output-sender.ts'
import { renderPull } from '../render-feedback.ts'
import { type EffectPlace, openPlace, type SenderDeps, toSendResult } from './effect-place.ts'

type PullAnswer = { number: number; html_url: string }

/** A pull request for the branch that the run's machine pushed. A branch has one, so it is looked for by its branch. */
export function createPullSender(deps: SenderDeps): OutputSender<'github_pull_request'> {
  return {
    kind: 'github_pull_request',
    async send(dispatch, context) {
      try {
        const place = await openPlace(deps, dispatch, { pull_requests: 'write', contents: 'read' }, context)
        if ('result' in place) return place
        const { row, owner, repo, marker, runUrl: url } = place
        const known = await findOne(place)
        if (known) return { result: 'sent', externalId: String(known.number), url: known.html_url }
        const { data } = await place.call<PullAnswer>('POST /repos/{owner}/{repo}/pulls', {
          owner,
          repo,
          head: row.pushed_branch,
          base: row.base_branch,
          ...renderPull(row, { marker, url }),
        })
        return { result: 'sent', externalId: String(data.number), url: data.html_url }
      } catch (error) {
        return toSendResult(error, context.now())
      }
    },
    // `send` looks for it first, always.
    readBack: async () => ({ result: 'absent' }),
  }
}

/** Also a closed one: what people closed is not opened again. */
async function findOne({ call, owner, repo, row }: EffectPlace): Promise<PullAnswer | null> {
  const { data } = await call<PullAnswer[]>('GET /repos/{owner}/{repo}/pulls', {
    owner,
    repo,
    head: `${owner}:${row.pushed_branch}`,
    state: 'all',
    per_page: 1,
  })
  return data[0] ?? null
}
