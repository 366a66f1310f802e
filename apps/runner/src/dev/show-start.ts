import type { AgentView, Runtime, RuntimeProbe } from '@baton/protocol'
import { printable } from '../cli/printable.ts'
import type { Style } from '../cli/style.ts'
import { table } from '../cli/text.ts'
import { CLI_NAMES } from './ensure-agents.ts'

const SIGNED_IN = { yes: 'signed in', no: 'not signed in', unknown: 'could not be asked' } as const

const NO_CLI: readonly Runtime[] = ['acp', 'chat', 'command']

/** The agent CLIs on this computer. Those that are not installed are named in one line. */
export function agentsText(found: RuntimeProbe[], style: Style): string {
  const clis = found.filter((one) => !NO_CLI.includes(one.runtime))
  const installed = clis.filter((one) => one.installed)
  const missing = clis.filter((one) => !one.installed).map((one) => one.runtime)
  const rows = installed.map((one) => {
    const mark = one.signedIn === 'yes' ? style('green', '✓') : style('yellow', '!')
    return [
      `  ${mark} ${one.runtime}`,
      one.version ?? '',
      SIGNED_IN[one.signedIn],
      one.signedIn === 'yes' ? '' : printable(one.detail),
    ]
  })
  const shown = table(['', '', '', ''], rows, style).split('\n').slice(1)
  if (missing.length > 0) shown.push(style('dim', `  – not installed: ${missing.join(', ')}`))
  return shown.join('\n')
}

/** Three things to try next. */
export function nextSteps(agents: AgentView[], style: Style): string {
  const agent = Object.keys(CLI_NAMES).find((key) => agents.some((one) => one.key === key)) ?? 'demo'
  const tries = [
    [`npx baton run "Explain this repository in five bullets" --agent ${agent}`, 'watch an agent work'],
    [
      `npx baton job create hello --agent ${agent} --prompt "Greet {{ payload.name }}" --hook baton`,
      'a webhook of your own, with a curl line',
    ],
    ['npx baton status', 'what is going on'],
  ]
  return tries.map(([line, what]) => `  ${line}\n      ${style('dim', what ?? '')}`).join('\n')
}
