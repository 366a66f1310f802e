import { DISPATCH_TRIES, type DispatchState, type MachineState, type OutputKind } from '@baton/protocol'

/** One sentence or two about a dispatch: what happened, what comes next, and what a person can do. */
export function dispatchSentence(dispatch: {
  state: DispatchState
  kind: OutputKind
  tries: number
  inMs: number | null
  lastError: string | null
  machine: { name: string; state: MachineState } | null
  maybeRepeated: boolean
}): string {
  const { state, tries, lastError, machine } = dispatch
  const why = lastError === null ? '' : ` ${ended(lastError)}`
  switch (state) {
    case 'pending':
      if (machine && machine.state !== 'online')
        return `Waits for ${machine.name}, which is ${machine.state}.`
      if (tries === 0) return 'Waits for its first try.'
      return `Try ${tries} of ${DISPATCH_TRIES} did not work.${why} The next one is ${inWords(dispatch.inMs ?? 0)}.`
    case 'sending':
      return tries > 1 ? `Is being sent now, try ${tries} of ${DISPATCH_TRIES}.` : 'Is being sent now.'
    case 'sent':
      return dispatch.maybeRepeated
        ? 'Sent. The answer to an earlier try was lost, so the receiver may have it twice, with the same id.'
        : tries > 1
          ? `Sent with try ${tries}.`
          : 'Sent.'
    case 'failed':
      return `Was not sent.${why} It is not tried again by itself: mend it and send it again.`
    case 'dead':
      return `Was not sent: all ${tries} tries failed.${why} Mend it and send it again.`
    case 'skipped':
      return `Was not sent.${why}`
  }
}

const ended = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`)

function inWords(ms: number): string {
  if (ms <= 1_000) return 'now'
  const seconds = Math.round(ms / 1_000)
  if (seconds < 90) return `in ${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `in ${minutes} min` : `in ${Math.round(minutes / 60)} h`
}
