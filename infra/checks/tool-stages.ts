import { runCommand } from './run-command.ts'
import { failedStage, type Stage } from './stage.ts'

const timeoutMs = 5 * 60_000

/** A tool counts as one check: it passes or it fails. */
function toolStage(name: string, file: string, args: string[]): Stage {
  return {
    name,
    async run({ signal }) {
      const { ok, why, output } = await runCommand(file, args, { signal, timeoutMs })
      if (ok) return { passed: 1, failures: [], skips: [], output }
      return failedStage(`${name}: ${[file, ...args].join(' ')} ${why}`, output)
    },
  }
}

export const buildStage = toolStage('build', process.execPath, ['infra/bootstrap/bootstrap.mjs'])
export const typesStage = toolStage('types', 'npm', ['run', '--silent', 'types'])
export const lintStage = toolStage('lint and format', 'npm', ['run', '--silent', 'lint'])
