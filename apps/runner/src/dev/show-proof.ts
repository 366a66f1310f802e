import type { Style } from '../cli/style.ts'
import { duration } from '../cli/text.ts'
import type { Proof, StageName } from './prove.ts'

const EXPLAINED: Record<StageName, string> = {
  accepted: 'the relay stored the signed webhook and answered 202',
  leased: 'given to this machine',
  'on disk': 'the runner has it durably',
  started: 'the agent runs in its workspace',
  'first output': 'its first words are back',
  finished: 'the result is stored',
}

/** Each stage with the time since the request was sent and since the stage before it. */
export function proofText(proof: Proof, style: Style): string {
  let before = 0
  const lines = proof.stages.map(({ name, ms }) => {
    if (ms === null) return `  ${style('red', '✕')} ${name.padEnd(13)}${style('dim', 'not reached')}`
    const step = ms - before
    before = ms
    const times = `${duration(ms).padStart(7)}${style('dim', `+${duration(step)}`.padStart(9))}`
    return `  ${style('green', '✓')} ${name.padEnd(13)}${times}  ${style('dim', EXPLAINED[name])}`
  })
  if (proof.transcript) lines.push(`    ${style('dim', proof.transcript.sentence)}`)
  if (proof.failed)
    lines.push('', `${style('red', 'The proof failed')} at "${proof.failed.stage}": ${proof.failed.message}`)
  return lines.join('\n')
}
