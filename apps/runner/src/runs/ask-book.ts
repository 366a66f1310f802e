import { type ApprovalRules, type ControlAnswer, coveredBy, type RunEventBody } from '@baton/protocol'
import { fitEvent } from '../agents/fit-event.ts'
import type { PermissionAnswer, PermissionAsk } from '../agents/runtime.ts'
import { actionHash } from './action-hash.ts'

/** `answer` is null while it is open; `withdrawn` when the agent stopped waiting. Times are of the machine's wall clock. */
type KnownAsk = { actionHash: string; expiresAt: number; answer: PermissionAnswer | null; withdrawn: boolean }

/** What a run knows about its questions and what people told it. Plain JSON, kept beside its transcript. */
export type AskBook = {
  asks: Record<string, KnownAsk>
  /** What a person allowed for the rest of this run. */
  allow: string[]
  /** What became of each control, so that one that is sent again is answered and not carried out again. */
  controls: Record<string, Pick<ControlAnswer, 'result' | 'reason'>>
  /** What is stored as delivered to the agent and may not have been written to it. */
  owed: { id: string; stdin: string }[]
}
export const EMPTY_BOOK: AskBook = { asks: {}, allow: [], controls: {}, owed: [] }

/** The next book, the events that tell of it, and the answers that are to be given at once. */
export type Noted = {
  book: AskBook
  events: RunEventBody[]
  answers: { ask: string; answer: PermissionAnswer }[]
}

const MOST_KEPT = 500

/**
 * Notes what an agent asks. What an allow-list covers is allowed and what nobody is to be asked about is denied at once;
 * a question that was answered before gets the same answer again; everything else stays open.
 */
export function noteAsks(
  book: AskBook,
  asks: readonly PermissionAsk[],
  place: { rules: ApprovalRules; cwd: string; now: number },
): Noted {
  const { rules, cwd, now } = place
  const noted: Noted = { book: { ...book, asks: { ...book.asks } }, events: [], answers: [] }
  for (const { ask, tool, summary, input } of asks) {
    const known = noted.book.asks[ask]
    if (known?.answer) noted.answers.push({ ask, answer: known.answer })
    if (known) continue
    const hash = actionHash({ tool, input, cwd })
    const pattern = coveredBy({ allow: [...rules.allow, ...book.allow] }, { tool, input })
    const answer = answerAtOnce(pattern, rules)
    const { expiresMs } = rules
    noted.book.asks[ask] = { actionHash: hash, expiresAt: now + expiresMs, answer, withdrawn: false }
    if (answer) noted.answers.push({ ask, answer })
    else {
      const event = { type: 'approval_asked' as const, ask, tool, summary, input, inputCut: false, cwd }
      noted.events.push(...fitEvent({ ...event, actionHash: hash, expiresMs }))
    }
    if (pattern !== null) {
      const reason = `${pattern} covers ${tool} ${summary.slice(0, 200)}`
      noted.events.push({ type: 'approval_answered', ask, decision: 'allow', by: 'the allow-list', reason })
    }
  }
  noted.book.asks = newest(noted.book.asks)
  return noted
}

function answerAtOnce(pattern: string | null, rules: ApprovalRules): PermissionAnswer | null {
  if (pattern !== null) return { decision: 'allow', message: null }
  return rules.mode === 'deny' ? { decision: 'deny', message: null } : null
}

export const isOpen = (ask: KnownAsk) => ask.answer === null && !ask.withdrawn

/** The numbers of the questions that are open, with the time at which each is denied. */
export function openAsks(book: AskBook): { ask: string; expiresAt: number }[] {
  return Object.entries(book.asks).flatMap(([ask, known]) =>
    isOpen(known) ? [{ ask, expiresAt: known.expiresAt }] : [],
  )
}

/** The agent waits for these no more. Numbers that are not open change nothing. */
export function withdrawAsks(book: AskBook, asks: readonly string[], reason: string): Noted {
  const noted: Noted = { book: { ...book, asks: { ...book.asks } }, events: [], answers: [] }
  for (const ask of asks) {
    const known = noted.book.asks[ask]
    if (!known || !isOpen(known)) continue
    noted.book.asks[ask] = { ...known, withdrawn: true }
    noted.events.push({ type: 'approval_withdrawn', ask, reason })
  }
  return noted
}

/** The run is over: the events that withdraw what is open. */
export function withdrawAll(book: AskBook | null): RunEventBody[] {
  return book === null ? [] : withdrawAsks(book, Object.keys(book.asks), 'The run ended.').events
}

/** An answer to an open question; `by` says whose. */
export function noteAnswer(book: AskBook, ask: string, answer: PermissionAnswer, by: string): Noted {
  const known = book.asks[ask]
  if (!known || !isOpen(known)) return { book, events: [], answers: [] }
  const { decision, message } = answer
  return {
    book: { ...book, asks: { ...book.asks, [ask]: { ...known, answer } } },
    events: [{ type: 'approval_answered', ask, decision, by, reason: message }],
    answers: [{ ask, answer }],
  }
}

export function noteControl(book: AskBook, { id, result, reason }: Omit<ControlAnswer, 'runId'>): AskBook {
  return { ...book, controls: newest({ ...book.controls, [id]: { result, reason } }) }
}

/** The last ones, in the order in which they came. What is open is among them unless an agent asks without end. */
function newest<T>(record: Record<string, T>): Record<string, T> {
  const entries = Object.entries(record)
  return entries.length <= MOST_KEPT ? record : Object.fromEntries(entries.slice(-MOST_KEPT))
}
