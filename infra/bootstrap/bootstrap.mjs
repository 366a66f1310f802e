// Runs before `npm start` and `npm test`: a fresh clone becomes one that can run. Plain JavaScript for
// Node 20, because the pinned Node arrives only with the packages that this script installs.
// Everything it says goes to stderr: stdout belongs to the command that follows (`--json`).
import { buildApps, buildIsCurrent } from './build-apps.mjs'
import { explainMissingNode, installIsCurrent, installPackages } from './install-packages.mjs'
import { withOneAtATime } from './one-at-a-time.mjs'

const installOnly = process.argv.includes('--install-only')

try {
  if (!ready()) await withOneAtATime(prepare)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

function ready() {
  return installIsCurrent() && (installOnly || buildIsCurrent())
}

/** Looks again at what is current: another command may have done the work while this one waited. */
function prepare() {
  if (!installIsCurrent()) {
    const problem = explainMissingNode()
    if (problem) throw new Error(problem)
    installPackages()
  }
  if (!installOnly && !buildIsCurrent()) buildApps()
}
