import type { Condition, DispatchView, OutputView, WhyView } from '@baton/protocol'

const isTroubled = ({ state, tries }: DispatchView) =>
  state === 'failed' || state === 'dead' || (state === 'pending' && tries > 0)

/** What keeps the results of a run from where they should go. */
export function outputConditions(dispatches: readonly DispatchView[]): Condition[] {
  return dispatches.filter(isTroubled).map(toCondition)
}

export function explainDispatch(dispatch: DispatchView): WhyView {
  const isDone = dispatch.state === 'sent' || dispatch.state === 'sending'
  return { id: dispatch.id, sentence: dispatch.sentence, conditions: isDone ? [] : [toCondition(dispatch)] }
}

/** Outputs of a job that were switched off by themselves. */
export function offConditions(outputs: readonly OutputView[]): Condition[] {
  return outputs
    .filter(({ disabledReason }) => disabledReason !== null)
    .map((output) => ({
      code: 'output_off',
      what: `Its ${output.kind} output to ${output.target} was switched off. ${output.disabledReason}`,
      since: null,
      unblock: 'Mend it, then switch it on again.',
      command: `baton output enable ${output.id}`,
    }))
}

function toCondition(dispatch: DispatchView): Condition {
  const waits = dispatch.state === 'pending'
  return {
    code: `output_${waits ? 'waits' : dispatch.state}`,
    what: `The ${dispatch.kind} output to ${dispatch.target}: ${dispatch.sentence}`,
    since: dispatch.createdAt,
    unblock: waits ? 'It goes on by itself; or send it now.' : 'Mend what it says, then send it again.',
    command: `baton dispatch retry ${dispatch.id}`,
  }
}
