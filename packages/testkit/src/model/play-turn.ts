import { setTimeout as wait } from 'node:timers/promises'
import type { Answer } from './dialect.ts'
import type { Turn } from './turn.ts'

export interface Stage {
  /** Whether a failure that is limited to so many times is still due; counts the call. */
  stillDue: (step: string, times: number) => boolean
  /** Drops the connection. */
  cut: () => void
  /** Aborted when the client has gone away. */
  signal: AbortSignal
}

/** Plays a turn into an answer. Rejects when the client goes away; returns early after a cut or a failure. */
export async function playTurn(turn: Turn, answer: Answer, { stillDue, cut, signal }: Stage): Promise<void> {
  let spoken = false
  for (const [index, step] of turn.steps.entries()) {
    if (step.kind === 'say' || step.kind === 'think') {
      answer.open(step.kind === 'say' ? 'text' : 'thinking')
      answer.add(step.text)
    } else if (step.kind === 'slow') {
      answer.open('text')
      for (let piece = 1; piece <= step.times; piece += 1) {
        answer.add(`${step.text} ${piece}\n`)
        await wait(step.everyMs, undefined, { signal })
      }
    } else if (step.kind === 'wait') await wait(step.ms, undefined, { signal })
    else if (step.kind === 'hang') await untilAborted(signal)
    else if (step.kind === 'cut' && stillDue(`cut ${index}`, step.times)) return cut()
    else if (step.kind === 'fail' && stillDue(`fail ${index}`, step.times)) {
      return answer.fail(step.status, `The stand-in model was told to fail with ${step.status}.`)
    }
    spoken ||= step.kind === 'say' || step.kind === 'slow'
  }
  if (turn.call) answer.call(turn.call)
  else if (!spoken) {
    answer.open('text')
    answer.add('Done.')
  }
  answer.end()
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
  })
}
