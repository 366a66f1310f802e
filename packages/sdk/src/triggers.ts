import type {
  DraftRehearsalView,
  FireAnswer,
  JobView,
  MachineFire,
  NewTriggerInput,
  NextFires,
  RehearsalView,
  SimulationView,
  TriggerChange,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import type { CreateJob, TriggerSecret } from './jobs.ts'

/** A stored schedule, or one that is only being thought of. */
export type AnySchedule = { triggerId: string } | { expression: string; zone?: string } | { everyMs: number }

/** What a rehearsal is of: a stored event, or a payload with headers. */
export type Sample = { eventId?: string; payload?: unknown; headers?: Record<string, string> }
export type DraftJob = Pick<CreateJob, 'prompt' | 'rules'> &
  Partial<Pick<CreateJob, 'key' | 'name' | 'agent'>> & { trigger?: NewTriggerInput }

/** What of `jobs` is about what fires them, and about trying them without running anything. */
export type Triggers = {
  /** `secret` is null for anything but a webhook. */
  addTrigger(id: string, trigger: NewTriggerInput): Promise<{ job: JobView; secret: TriggerSecret | null }>
  /** Changes any part of it; its kind, scheme and address stay. */
  updateTrigger(triggerId: string, change: TriggerChange): Promise<JobView>
  removeTrigger(triggerId: string): Promise<JobView>
  /** What comes for it is kept and fires nothing; schedules make up nothing for that time. */
  pauseTrigger(triggerId: string): Promise<JobView>
  resumeTrigger(triggerId: string): Promise<JobView>
  /** The secret before stays valid beside the new one until the next rotation, or ends at once with `alone`. */
  rotateSecret(triggerId: string, options?: { secret?: string; alone?: boolean }): Promise<{ secret: string }>
  /** When a schedule fires next, in words and in a zone. */
  nextFires(schedule: AnySchedule, options?: { count?: number; zone?: string }): Promise<NextFires>
  /** What the job would make of a stored event or of a payload. Nothing is stored and nothing runs. */
  rehearse(
    id: string,
    what: Sample & {
      triggerId?: string
      /** Instead of its own: one that is being written. */
      prompt?: string
    },
  ): Promise<RehearsalView>
  /** The same for a job that is not saved yet. `agent` and `trigger` may be left out. */
  rehearseDraft(draft: DraftJob & Sample): Promise<DraftRehearsalView>
  /** Which of the last days' events it would take as it is now, and why not the others. */
  simulate(id: string, options?: { days?: number }): Promise<SimulationView>
  /** What a push hook tells. The same key again is the same event. */
  push(fire: Extract<MachineFire, { kind: 'git_push' }>): Promise<FireAnswer>
}

export function createTriggers({ jobs }: Raw, call: Call): Triggers {
  return {
    addTrigger: (id, trigger) => call(jobs.addTrigger.mutate({ id, trigger })),
    updateTrigger: (triggerId, change) => call(jobs.updateTrigger.mutate({ triggerId, change })),
    removeTrigger: (triggerId) => call(jobs.removeTrigger.mutate({ triggerId })),
    pauseTrigger: (triggerId) => call(jobs.pauseTrigger.mutate({ triggerId })),
    resumeTrigger: (triggerId) => call(jobs.resumeTrigger.mutate({ triggerId })),
    rotateSecret: (triggerId, options = {}) => call(jobs.rotateSecret.mutate({ triggerId, ...options })),
    nextFires: (schedule, options = {}) => call(jobs.nextFires.query({ schedule, ...options })),
    rehearse: (id, what) => call(jobs.rehearse.query({ id, ...what })),
    rehearseDraft: (draft) => call(jobs.rehearseDraft.query(draft)),
    simulate: (id, options = {}) => call(jobs.simulate.query({ id, ...options })),
    push: (fire) => call(jobs.push.mutate(fire)),
  }
}
