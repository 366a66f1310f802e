/**
 * Starts a run, prints what its agent does as it does it, and then its result. Needs BATON_URL and BATON_TOKEN.
 *
 *   node packages/sdk/examples/run-and-follow.ts demo "Summarize this folder"
 */
import { Baton, RunFailedError } from '@baton/sdk'

const [agent = 'auto', prompt = 'Summarize this folder'] = process.argv.slice(2)
const baton = new Baton()
const run = await baton.runs.create({ agent, prompt })
console.error(`${run.id}  ${run.url}`)

for await (const event of run.events()) {
  if (event.type === 'message') console.log(event.text)
  if (event.type === 'tool_started') console.log(`● ${event.name}`)
}

try {
  const { outcome, result } = await run.result()
  console.log(`finished: ${outcome}`)
  if (result) console.log(result)
} catch (error) {
  if (!(error instanceof RunFailedError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
