import { enableCompileCache } from 'node:module'

/** The supervisor as a process of its own: `node supervise-main.ts supervise <runFolder> <runId>`. */
enableCompileCache()
const [, runFolder, runId] = process.argv.slice(2)
if (!runFolder || !runId) {
  process.stderr.write('usage: supervise <runFolder> <runId>, with the start on stdin\n')
  process.exit(2)
}
const { supervise } = await import('./supervise.ts')
await supervise(runFolder, runId)
process.exit(0)
