import type { ControlAnswer, LeaseAnswer, LeaseRef, SettleAnswer, SettleReport } from '@baton/protocol'
import type { Logger } from '@baton/service'
import type { CallAnswer, CallInputs } from '../connection/runner-calls.ts'
import type { Journal } from '../journal/open-journal.ts'
import type { AdmitDependencies } from './admit-delivery.ts'
import type { OutputBounds } from './limit-output.ts'
import type { Writes } from './until-answered.ts'

/** The calls that a run makes. Calls of several runs at the same moment share one message. */
export type RunCalls = {
  secrets: (run: CallInputs['secrets']) => Promise<CallAnswer<'secrets'>>
  skills: (run: CallInputs['skills']) => Promise<CallAnswer<'skills'>>
  githubToken: (lease: LeaseRef) => Promise<CallAnswer<'githubToken'>>
  githubPushed: (push: CallInputs['githubPushed']) => Promise<unknown>
  accept: (lease: LeaseRef) => Promise<LeaseAnswer>
  start: (report: CallInputs['start']['runs'][number]) => Promise<LeaseAnswer>
  refuse: (refusal: CallInputs['refuse']['deliveries'][number]) => Promise<LeaseAnswer>
  settle: (report: SettleReport) => Promise<SettleAnswer>
  acknowledge: (answer: ControlAnswer) => Promise<unknown>
  append: (input: CallInputs['append']) => Promise<CallAnswer<'append'>>
}

/** What every run of this runner shares. */
export type RunContext = AdmitDependencies & {
  calls: RunCalls
  writes: Writes
  journal: Journal
  logger: Logger
  bounds: OutputBounds
  /** An agent whose runner stays away for this long is ended by its supervisor. */
  abandonAfterMs: number
  /** When this runner's predecessor was last alive, for the transcript of adopted runs. */
  predecessorSeenAt: number | null
}
