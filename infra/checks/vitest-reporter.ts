import fs from 'node:fs'
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'

/** One line of JSON on file descriptor 3 for `npm test`. */
export type TestReport =
  | { kind: 'passed' | 'failed'; name: string }
  | { kind: 'skipped'; name: string; reason: string }
  | { kind: 'end' }

/** Written at once and in full: vitest may leave by `process.exit`. */
function write(report: TestReport): void {
  fs.writeSync(3, `${JSON.stringify(report)}\n`)
}

/**
 * Counts what failed outside a test too: a file that cannot be loaded, a broken hook, a leak, an error that nobody
 * caught. Each of them is one failure.
 */
export default class ChecksReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    const name = `${test.module.relativeModuleId} > ${test.fullName}`
    if (result.state === 'passed' || result.state === 'failed') write({ kind: result.state, name })
    if (result.state === 'skipped') write({ kind: 'skipped', name, reason: reasonOf(test, result.note) })
  }

  onTestSuiteResult(suite: TestSuite): void {
    if (suite.errors().length > 0) {
      write({
        kind: 'failed',
        name: `${suite.module.relativeModuleId} > ${suite.fullName} (outside its tests)`,
      })
    }
  }

  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0)
      write({ kind: 'failed', name: `${module.relativeModuleId} (outside its tests)` })
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly { message: string }[]): void {
    for (const { message } of unhandled)
      write({ kind: 'failed', name: `an error that nobody caught: ${message}` })
    write({ kind: 'end' })
  }
}

function reasonOf(test: TestCase, note: string | undefined): string {
  return note ?? (test.options.mode === 'todo' ? 'to be written' : 'no reason given')
}
