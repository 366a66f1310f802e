import type { SpawnReport } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

export async function showSpawn(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const report = await baton.runs.spawn(run.id)
  session.print(report, () =>
    report
      ? reportText(report)
      : 'There is no report: the run has not ended, or its agent was never started.',
  )
}

function reportText(report: SpawnReport): string {
  const { exit } = report
  const ended = !exit
    ? 'not known'
    : exit.error
      ? `${exit.error}: ${exit.message ?? ''}`
      : exit.signal
        ? `signal ${exit.signal}`
        : `code ${exit.exitCode}`
  const lines: [string, string][] = [
    ['runtime', `${report.runtime}${report.version ? ` ${report.version}` : ''}`],
    ['program', report.file],
    ['command', report.command.join(' ')],
    ['folder', report.cwd],
    ['runner', report.runnerVersion],
    ['environment', report.environmentNames.join(' ')],
    ['secrets', report.secretNames.join(' ') || 'none'],
    ...report.limited.map((text): [string, string] => ['note', text]),
    ['exit', ended],
  ]
  const tail = report.stderrTail?.trimEnd()
  return [
    ...lines.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`),
    ...(tail ? ['last words of stderr:', ...tail.split('\n').map((line) => `  ${printable(line)}`)] : []),
  ].join('\n')
}
