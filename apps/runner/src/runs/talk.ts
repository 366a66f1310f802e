import type { ApprovalRules, ControlAnswer, RunControl, RunEventBody } from '@baton/protocol'
import type { PermissionAnswer, ReadSteps, RunReader } from '../agents/runtime.ts'
import type { SupervisedRun } from '../processes/supervised-run.ts'
import {
  type AskBook,
  EMPTY_BOOK,
  isOpen,
  type Noted,
  noteAnswer,
  noteAsks,
  noteControl,
  openAsks,
  withdrawAll,
  withdrawAsks,
} from './ask-book.ts'
import { FINISHED } from './stop-request.ts'
import type { Transcript } from './transcript.ts'

export type ControlOutcome = Pick<ControlAnswer, 'result' | 'reason'>

/** What goes to and fro between a running agent and people: its questions, their answers, what they tell it. */
export type Talk = {
  /** Stores what the reader returned, then gives the agent what it is owed for it. */
  take(steps: ReadSteps, atMs: number): Promise<void>
  /** Writes what an earlier runner stored for the agent and may not have written. What it has written is not repeated. */
  resume(): Promise<void>
  /** Carries out what a person said. Resolves when that is on the disk; the same control again changes nothing. */
  control(control: RunControl): Promise<ControlOutcome>
  /** A person's answer is waited for. */
  waits(): boolean
  /** The agent has ended: what is still open is withdrawn. */
  end(): RunEventBody[]
  stop(): void
}

/** The relay denies what nobody answered. Where it is away this machine does it itself, a moment later. */
const RELAY_FIRST_MS = 5_000
/** A clock that was set, or a sleep, is noticed after so long. */
const LOOK_EVERY_MS = 30_000

/** How long an agent that has said its last may take to exit. */
const LEAVE_MS = 5_000

const UNANSWERED: PermissionAnswer = {
  decision: 'deny',
  message: 'Nobody answered in time, so it was denied.',
}

export function createTalk(parts: {
  rules: ApprovalRules
  cwd: string
  reader: RunReader
  transcript: Transcript
  supervised: Pick<SupervisedRun, 'write' | 'closeStdin' | 'consumed' | 'stop'>
  /** Something could not be stored: the run cannot go on. */
  onError: (error: unknown) => void
  now?: () => number
}): Talk {
  const { rules, cwd, reader, transcript, supervised, now = Date.now } = parts
  let book: AskBook = { ...EMPTY_BOOK, ...transcript.memo().talk }
  let timer: NodeJS.Timeout | null = null
  let leaving: NodeJS.Timeout | null = null

  async function store(steps: ReadSteps, atMs: number, events: RunEventBody[], urgent: boolean) {
    await transcript.take(steps.events, reader, atMs, urgent ? { events, talk: book } : undefined)
    if (steps.stdin !== undefined) await supervised.write(steps.stdin)
    if (steps.closeStdin) await supervised.closeStdin()
    if (steps.ended)
      leaving ??= setTimeout(() => void supervised.stop(FINISHED).catch(parts.onError), LEAVE_MS)
    await supervised.consumed(transcript.committed())
  }

  async function take(steps: ReadSteps, atMs: number) {
    const before = book
    const asked = noteAsks(book, steps.asks ?? [], { rules, cwd, now: now() })
    const left = withdrawAsks(asked.book, steps.withdrawn ?? [], 'The agent no longer waits for an answer.')
    book = left.book
    watchExpiry()
    const events = [...asked.events, ...left.events]
    await store(steps, atMs, events, events.length > 0 || hasNewAsks(before))
    for (const { ask, answer } of asked.answers) await give(ask, answer, [], true)
  }

  const hasNewAsks = (before: AskBook) => Object.keys(book.asks).some((ask) => !(ask in before.asks))

  /** Tells the agent. The book that says so is stored with what the reader makes of it, before anything is written. */
  async function give(ask: string, answer: PermissionAnswer, events: RunEventBody[], urgent: boolean) {
    const steps = reader.answer?.(ask, answer) ?? { events: [] }
    await store(steps, now(), events, urgent)
  }

  async function settle({ book: next, events, answers }: Noted) {
    book = next
    watchExpiry()
    for (const { ask, answer } of answers) await give(ask, answer, events, true)
  }

  /** Denied by this machine's own clock, when the relay has not said anything by then. */
  async function expire() {
    const due = openAsks(book).filter(({ expiresAt }) => now() >= expiresAt + RELAY_FIRST_MS)
    for (const { ask } of due) await settle(noteAnswer(book, ask, UNANSWERED, 'Baton'))
    watchExpiry()
  }

  function watchExpiry() {
    if (timer) clearTimeout(timer)
    timer = null
    const next = Math.min(...openAsks(book).map(({ expiresAt }) => expiresAt))
    if (next === Number.POSITIVE_INFINITY) return
    const inMs = Math.max(0, next + RELAY_FIRST_MS - now())
    timer = setTimeout(() => void expire().catch(parts.onError), Math.min(inMs, LOOK_EVERY_MS))
    timer.unref()
  }

  async function answer(control: RunControl & { kind: 'answer' }): Promise<ControlOutcome> {
    const { id, ask, decision, message, by, scope, pattern } = control
    const known = book.asks[ask]
    if (!known) return await refuse(id, 'This run has not asked that.')
    if (!isOpen(known)) return await refuse(id, 'The agent no longer waits for an answer to that.')
    if (known.actionHash !== control.actionHash) return await refuse(id, 'The answer is to another action.')
    // Without a word the agent is told that it was a person: else it would take its permission mode for the cause.
    const said = message ?? (decision === 'deny' ? `${by} said no.` : null)
    const noted = noteAnswer(book, ask, { decision, message: said }, by)
    const keeps = decision === 'allow' && scope !== 'once' && pattern !== null
    const allow = keeps ? [...new Set([...book.allow, pattern])] : book.allow
    const next = noteControl({ ...noted.book, allow }, { id, ...DELIVERED })
    await settle({ ...noted, book: next })
    return DELIVERED
  }

  async function refuse(id: string, reason: string): Promise<ControlOutcome> {
    const outcome = { result: 'refused' as const, reason }
    book = noteControl(book, { id: id as RunControl['id'], ...outcome })
    await store({ events: [] }, now(), [], true)
    return outcome
  }

  /** Told once: the log of what was written knows the id, so that a kill right before or after the writing does no harm. */
  async function writeOwed() {
    for (const { id, stdin } of book.owed) {
      await supervised.write(stdin, id)
      book = { ...book, owed: book.owed.filter((one) => one.id !== id) }
    }
  }

  async function tell(control: RunControl, steps: ReadSteps | undefined, note: RunEventBody[]) {
    if (!steps) return await refuse(control.id, 'This agent cannot be told that while it works.')
    if (steps.events.length === 0 && steps.stdin === undefined)
      return await refuse(control.id, 'It came too late: the agent is ending.')
    const { stdin, ...rest } = steps
    const owed = stdin === undefined ? [] : [{ id: control.id as string, stdin }]
    book = noteControl({ ...book, owed: [...book.owed, ...owed] }, { id: control.id, ...DELIVERED })
    await store(rest, now(), note, true)
    await writeOwed()
    return DELIVERED
  }

  async function carryOut(control: RunControl): Promise<ControlOutcome> {
    if (control.kind === 'answer') return await answer(control)
    const { id, by } = control
    if (control.kind === 'steer')
      return await tell(control, reader.steer?.({ id, text: control.text, by }), [])
    return await tell(control, reader.interrupt?.(), [{ type: 'status', text: `${by} interrupted it.` }])
  }

  watchExpiry()
  return {
    take,
    resume: writeOwed,
    async control(control) {
      const known = book.controls[control.id]
      if (known) return known
      try {
        return await carryOut(control)
      } catch (error) {
        // The book says by now that it was carried out: the same control again would be answered and do nothing.
        parts.onError(error)
        throw error
      }
    },
    waits: () => openAsks(book).length > 0,
    end() {
      const events = withdrawAll(book)
      book = EMPTY_BOOK
      return events
    },
    stop() {
      if (timer) clearTimeout(timer)
      if (leaving) clearTimeout(leaving)
      timer = null
    },
  }
}

const DELIVERED: ControlOutcome = { result: 'delivered', reason: null }
