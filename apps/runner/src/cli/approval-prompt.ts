import { createInterface } from 'node:readline/promises'
import { BatonError, QUESTION_TOOL, type RunEvent } from '@baton/protocol'
import type { Run } from '@baton/sdk'
import { approvalText } from './approval.ts'
import type { Session } from './session.ts'

/** Asks the person at this terminal what the followed run asks. An answer from elsewhere takes the question away. */
export type ApprovalPrompts = AsyncDisposable & { hear(event: RunEvent): void }

export function createApprovalPrompts(session: Session, run: Run): ApprovalPrompts {
  const open = new Map<string, AbortController>()
  let last: Promise<void> = Promise.resolve()

  function ask(number: string) {
    const closing = new AbortController()
    open.set(number, closing)
    last = last
      .then(() => askPerson(session, run, number, closing.signal))
      .catch((error: unknown) => {
        if (!closing.signal.aborted) session.note(`! ${(error as Error).message}`)
      })
  }

  return {
    hear(event) {
      if (!session.canAsk) return
      if (event.type === 'approval_asked') ask(event.ask)
      if (event.type === 'approval_answered' || event.type === 'approval_withdrawn')
        open.get(event.ask)?.abort()
    },
    async [Symbol.asyncDispose]() {
      for (const closing of open.values()) closing.abort()
      await last
    },
  }
}

async function askPerson(session: Session, run: Run, number: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const baton = await session.baton()
  let approval = null
  for await (const one of run.approvals()) if (one.ask === number) approval = one
  if (approval?.state !== 'open') return
  session.note(approvalText(approval, session.err))
  const isQuestion = approval.tool === QUESTION_TOOL
  const choices = isQuestion
    ? 'Your answer (empty to leave it open): '
    : `Allow it? y: this once${approval.pattern ? ', s: for the rest of this run' : ''}, n: no, empty: leave it open  `
  const said = (await readAnswer(choices, signal)).trim()
  if (said === '') return
  try {
    if (isQuestion) await baton.approvals.allow(approval.id, { message: said })
    else if (/^y(es)?$/i.test(said)) await baton.approvals.allow(approval.id)
    else if (/^s$/i.test(said) && approval.pattern)
      await baton.approvals.allow(approval.id, { scope: 'session' })
    else if (/^no?$/i.test(said)) await baton.approvals.deny(approval.id)
    else session.note(`"${said}" is none of these; it stays open: baton approval allow ${approval.id}`)
  } catch (error) {
    // Somebody else was quicker, and the message says who.
    if (!(error instanceof BatonError && error.code === 'conflict')) throw error
    session.note(error.message)
  }
}

async function readAnswer(question: string, signal: AbortSignal): Promise<string> {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  // The terminal is in raw mode while it asks, so Ctrl-C arrives here and not as a signal.
  asking.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return await asking.question(question, { signal })
  } finally {
    asking.close()
  }
}
