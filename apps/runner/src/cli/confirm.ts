import { createInterface } from 'node:readline/promises'
import { BatonError } from '@baton/protocol'
import type { Session } from './session.ts'

/** Goes on only with a person's yes or --yes. Without a terminal nothing is asked, and --yes is needed. */
export async function confirm(session: Session, question: string): Promise<void> {
  if (session.yes) return
  if (!session.canAsk)
    throw new BatonError('bad_input', `${question} There is no terminal to ask on: add --yes.`)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question(`${question} [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new BatonError('conflict', 'Nothing was changed.')
  } finally {
    asking.close()
  }
}
