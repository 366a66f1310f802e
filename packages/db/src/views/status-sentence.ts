import { ERROR_KINDS, type ErrorKind, type Outcome, type StatusWord } from '@baton/protocol'

type Facts = {
  status: StatusWord
  outcome: Outcome | null
  errorKind: ErrorKind | null
  message: string | null
  exitCode: number | null
  machineName: string
  isMachineDraining: boolean
  agentName: string
  cancelRequested: boolean
  /** Its agent was started before. */
  started: boolean
  waitsFor: readonly { tool: string; summary: string }[]
}

const OUTCOME_SENTENCES: Record<Outcome, string> = {
  done: 'Done.',
  done_with_warnings: 'Done, but something on the way needs a look.',
  changed_nothing: 'Done, but it changed no file and said nothing.',
  blocked_by_permission: 'The agent was refused something it needed.',
  needs_input: 'The agent stopped with a question.',
  error: 'Failed.',
}

/** One sentence that explains a status: the same in dashboard, CLI and SDK. */
export function statusSentence(facts: Facts): string {
  if (facts.cancelRequested && ['running', 'starting', 'asleep', 'waiting'].includes(facts.status)) {
    return facts.status === 'asleep'
      ? `A stop was asked for; ${facts.machineName} is away and ends the run when it is back.`
      : 'A stop was asked for; the processes are being ended.'
  }
  switch (facts.status) {
    case 'queued':
      if (facts.message !== null) return facts.message
      return facts.isMachineDraining
        ? `${facts.machineName} is draining; it starts when that machine takes work again.`
        : `Waiting for its turn on ${facts.machineName}.`
    case 'starting':
      return `On its way to ${facts.agentName} on ${facts.machineName}.`
    case 'running':
      return `${facts.agentName} is working on ${facts.machineName}.`
    case 'waiting':
      if (facts.waitsFor.length > 0) return approvalSentence(facts.waitsFor)
      return facts.message ?? 'Waiting for something other than its machine.'
    case 'asleep':
      return (
        facts.message ??
        `${facts.machineName} is away; it ${facts.started ? 'goes on' : 'starts'} when the machine is back.`
      )
    case 'done':
      return facts.outcome === 'changed_nothing' ? 'Done. It changed no file.' : OUTCOME_SENTENCES.done
    case 'warning':
      return withMessage(OUTCOME_SENTENCES[facts.outcome ?? 'done_with_warnings'], facts.message)
    case 'stopped':
      // The message of an attempt that failed before is not why it was stopped.
      return withMessage(
        facts.errorKind ? 'Stopped while it waited. Before that:' : 'Stopped.',
        facts.message,
      )
    case 'lost':
      return withMessage('Lost.', facts.message)
    case 'failed':
      return failedSentence(facts)
  }
}

function approvalSentence([first, ...others]: Facts['waitsFor']): string {
  const line = first?.summary.split('\n', 1)[0] ?? ''
  const what = `${first?.tool} ${line.length > 120 ? `${line.slice(0, 119)}…` : line}`.trim()
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return `Waiting for approval: ${what}${more}.`
}

function failedSentence(facts: Facts): string {
  if (facts.outcome === 'needs_input') return withMessage(OUTCOME_SENTENCES.needs_input, facts.message)
  const what =
    facts.message ??
    (facts.exitCode === null ? 'It failed.' : `The agent ended with exit code ${facts.exitCode}.`)
  return facts.errorKind ? `${what} ${ERROR_KINDS[facts.errorKind]}` : what
}

const withMessage = (sentence: string, message: string | null) =>
  message ? `${sentence} ${message}` : sentence
