import path from 'node:path'
import { runCommand } from './run-command.ts'
import { failedStage, type Skip, type Stage, type StageResult } from './stage.ts'
import type { TestReport } from './vitest-reporter.ts'

/** The projects of vitest.config.ts in the order in which they tell most soonest, with the time each may take. */
const projects = [
  { name: 'unit', timeoutMs: 5 * 60_000 },
  { name: 'database', timeoutMs: 10 * 60_000 },
  { name: 'app', timeoutMs: 30 * 60_000 },
  { name: 'architecture', timeoutMs: 5 * 60_000 },
  { name: 'e2e', timeoutMs: 20 * 60_000 },
  { name: 'faults', timeoutMs: 20 * 60_000 },
]

/** One vitest per project, so that one which crashes takes no other with it. */
export function testStages(filters: string[]): Stage[] {
  return projects.map(({ name, timeoutMs }) => ({
    name,
    async run({ signal, progress }) {
      const counted = createCount(name, progress)
      const args = vitestArguments(name, filters)
      const outcome = await runCommand(process.execPath, args, { signal, timeoutMs, onLine: counted.take })
      const result = { ...counted.result(), output: outcome.output }
      if (!counted.ended()) result.failures.push(`${name}: vitest did not come to its end: ${outcome.why}`)
      else if (!outcome.ok && result.failures.length === 0)
        result.failures.push(`${name}: vitest ${outcome.why}`)
      if (filters.length > 0 || ranSomething(result)) return result
      return failedStage(`${name}: no test ran`, outcome.output)
    },
  }))
}

function vitestArguments(project: string, filters: string[]): string[] {
  const reporter = path.join(import.meta.dirname, 'vitest-reporter.ts')
  return [
    path.resolve('node_modules/vitest/vitest.mjs'),
    'run',
    `--project=${project}`,
    '--reporter=default',
    `--reporter=${reporter}`,
    // Told to vitest alone: a variable in the environment would reach the programs under test.
    process.stdout.isTTY && !process.env.NO_COLOR ? '--color' : '--no-color',
    '--passWithNoTests',
    // A forgotten `.only` would silently leave out the rest.
    '--allowOnly=false',
    ...filters,
  ]
}

function ranSomething({ passed, failures, skips }: StageResult): boolean {
  return passed + failures.length + skips.length > 0
}

interface Count {
  take: (line: string) => void
  result(): StageResult
  /** True when vitest said that the run is over. */
  ended(): boolean
}

function createCount(project: string, progress: (text: string) => void): Count {
  let passed = 0
  let over = false
  const failures: string[] = []
  const skips: Skip[] = []

  function take(line: string): void {
    const report = JSON.parse(line) as TestReport
    if (report.kind === 'passed') passed += 1
    if (report.kind === 'failed') failures.push(`${project}: ${report.name}`)
    if (report.kind === 'skipped') skips.push({ name: `${project}: ${report.name}`, reason: report.reason })
    if (report.kind === 'end') over = true
    progress(`${passed} passed${failures.length > 0 ? `, ${failures.length} failed` : ''}`)
  }

  return { take, result: () => ({ passed, failures, skips, output: '' }), ended: () => over }
}
