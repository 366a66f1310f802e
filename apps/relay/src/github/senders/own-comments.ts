import type { GithubCall } from '../github-api.ts'
import type { KnownApp } from '../known-apps.ts'

export type CommentAnswer = { id: number; body?: string; html_url: string; user: { login: string } | null }

const PAGE = 100
const MOST_PAGES = 50

/** Comments of the App itself that hold this text, oldest first. A marker in somebody else's comment is not ours. */
export async function findOwnComments(
  call: GithubCall,
  app: KnownApp,
  where: { owner: string; repo: string; number: number; text: string; since: string },
): Promise<CommentAnswer[]> {
  const found: CommentAnswer[] = []
  const login = `${app.slug}[bot]`.toLowerCase()
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data } = await call<CommentAnswer[]>('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      owner: where.owner,
      repo: where.repo,
      issue_number: where.number,
      since: where.since,
      per_page: PAGE,
      page,
    })
    found.push(
      ...data.filter(
        (one) => one.user?.login.toLowerCase() === login && one.body?.includes(where.text) === true,
      ),
    )
    if (data.length < PAGE) break
  }
  return found.toSorted((a, b) => a.id - b.id)
}
