import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { GithubUser, Installation, Repository } from '@baton/testkit'

type Json = Record<string, unknown>
type Example = { name: string; examples: (Json & { action?: string })[] }

const require = createRequire(import.meta.url)
const EXAMPLES = JSON.parse(
  readFileSync(require.resolve('@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'),
) as Example[]

/** A payload as GitHub published it, in this repository and by this person; `change` replaces parts of it. */
export function examplePayload(
  name: string,
  action: string | null,
  place: { installation: Installation; repository: Repository; sender: GithubUser },
  change: Json = {},
): Json & { action?: string } {
  const examples = EXAMPLES.find((one) => one.name === name)?.examples ?? []
  const example = examples.find((one) => action === null || one.action === action)
  if (!example) throw new Error(`GitHub published no ${name} ${action}.`)
  const { repository } = place
  const merged = merge(structuredClone(example), {
    installation: { id: place.installation.id },
    repository: {
      id: repository.id,
      name: repository.name,
      full_name: `${repository.owner}/${repository.name}`,
      default_branch: repository.defaultBranch,
    },
    sender: place.sender,
  })
  return merge(merged, change) as Json
}

/** Objects are merged, all else is replaced. */
function merge(into: Json, change: Json): Json {
  for (const [key, value] of Object.entries(change)) {
    const old = into[key]
    const isObject = (one: unknown): one is Json =>
      typeof one === 'object' && one !== null && !Array.isArray(one)
    into[key] = isObject(old) && isObject(value) ? merge(old, value) : value
  }
  return into
}
