// `npm test`: every check there is. With arguments only the tests whose path contains one of them:
// `npm test -- packages/webhooks`. The last line is always `N passed, N failed, N skipped`.
import { createReport } from './report.ts'
import { addUp, failedStage, type Stage, type StageResult } from './stage.ts'
import { testStages } from './test-stages.ts'
import { buildStage, lintStage, typesStage } from './tool-stages.ts'

const filters = process.argv.slice(2)
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())

const report = createReport(process.stdout)
const results: StageResult[] = []
for (const stage of chooseStages()) {
  if (interruption.signal.aborted) break
  results.push(await runStage(stage))
}
if (interruption.signal.aborted) results.push(failedStage('interrupted before all checks had run'))
else if (ranNoTest()) results.push(failedStage(`no test file matches ${filters.join(' ')}`))

const total = addUp(results)
report.end(total)
process.exitCode = total.failures.length > 0 ? 1 : 0

function chooseStages(): Stage[] {
  if (filters.length > 0) return [buildStage, ...testStages(filters)]
  return [buildStage, typesStage, lintStage, ...testStages([])]
}

/** A stage that breaks is a failure like any other: the ones after it still run. */
async function runStage(stage: Stage): Promise<StageResult> {
  const line = report.begin(stage.name)
  const result = await stage
    .run({ signal: interruption.signal, progress: line.progress })
    .catch((error: unknown) => failedStage(`${stage.name} could not be run`, String(error)))
  line.end(result)
  return result
}

/** The build is the one stage that is not a test when there are filters. */
function ranNoTest(): boolean {
  return filters.length > 0 && results.slice(1).every((result) => isEmpty(result))
}

function isEmpty({ passed, failures, skips }: StageResult): boolean {
  return passed + failures.length + skips.length === 0
}
