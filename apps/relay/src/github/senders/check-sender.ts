import type { OutputSender } from '../../outputs/output-sender.ts'
import { renderCheck } from '../render-feedback.ts'
import { type EffectPlace, openPlace, type SenderDeps, toSendResult } from './effect-place.ts'

type CheckAnswer = { id: number; external_id: string | null; html_url: string | null }

/** One check run per delivery: made queued, changed in place, found again by its external id. */
export function createCheckSender(deps: SenderDeps): OutputSender<'github_check'> {
  return {
    kind: 'github_check',
    async send(dispatch, context) {
      try {
        const place = await openPlace(deps, dispatch, { checks: 'write' }, context)
        if ('result' in place) return place
        const id = place.known ?? (dispatch.tries > 1 || place.stage > 1 ? await findOne(place) : null)
        const { owner, repo, row } = place
        const fields = { owner, repo, details_url: place.runUrl, ...renderCheck(row) }
        const { data } =
          id === null
            ? await place.call<CheckAnswer>('POST /repos/{owner}/{repo}/check-runs', {
                ...fields,
                name: nameOf(place),
                head_sha: row.head_sha,
                external_id: place.marker,
              })
            : await place.call<CheckAnswer>('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
                ...fields,
                check_run_id: Number(id),
              })
        return { result: 'sent', externalId: String(data.id), url: data.html_url ?? undefined }
      } catch (error) {
        return toSendResult(error, context.now())
      }
    },
    // `send` looks for it itself: what is there may have to be changed all the same.
    readBack: async () => ({ result: 'absent' }),
  }
}

const nameOf = ({ row }: EffectPlace) => `baton / ${row.job_key}`

async function findOne(place: EffectPlace): Promise<string | null> {
  const { data } = await place.call<{ check_runs: CheckAnswer[] }>(
    'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
    {
      owner: place.owner,
      repo: place.repo,
      ref: place.row.head_sha,
      check_name: nameOf(place),
      filter: 'all',
      app_id: place.app.app_id,
      per_page: 100,
    },
  )
  const own = data.check_runs.find((one) => one.external_id === place.marker)
  return own ? String(own.id) : null
}
