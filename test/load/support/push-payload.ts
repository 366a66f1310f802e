import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

type Example = { name: string; examples: { after?: string; ref?: string }[] }

/**
 * GitHub's own published push payload, as the bytes before and after one commit id, so that each request can have a
 * body that was never sent before.
 */
export function pushPayload(): { before: string; after: string } {
  const file = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json')
  const events = JSON.parse(readFileSync(file, 'utf8')) as Example[]
  const push = events.find((event) => event.name === 'push')?.examples.find((example) => example.after)
  if (!push?.after) throw new Error('The package of examples has no push payload.')
  const [before = '', ...rest] = JSON.stringify(push).split(push.after)
  return { before, after: rest.join(push.after) }
}
