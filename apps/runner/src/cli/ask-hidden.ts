import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { BatonError } from '@baton/protocol'
import type { Session } from './session.ts'

/** Asks on the terminal without showing what is typed. Without one nothing is asked. */
export async function askHidden(session: Session, question: string): Promise<string> {
  if (!session.canAsk)
    throw new BatonError('bad_input', 'There is no terminal to ask on: give the value on stdin.')
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const asking = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await asking.question('')
  } finally {
    asking.close()
    process.stderr.write('\n')
  }
}
