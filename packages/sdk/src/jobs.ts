import { randomUUID } from 'node:crypto'
import type {
  ApprovalSettings,
  Budget,
  JobRetention,
  JobView,
  NewTriggerInput,
  RunLimits,
  RunRules,
  TriggerId,
  WebhookScheme,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import type { NewOutput } from './outputs.ts'
import { createRun, type Run } from './run.ts'
import { createTriggers, type Triggers } from './triggers.ts'

export type CreateJob = {
  key: string
  name?: string
  /** The agent's id or key. */
  agent: string
  /** Filled from the event: `{{ payload.… }}`. Values only; nothing in it is evaluated. */
  prompt: string
  workspace?: string
  limits?: Partial<RunLimits>
  /** Priority, delay, time to live, concurrency and what happens when firings overlap. */
  rules?: Partial<RunRules>
  /** What it changes of its agent's approvals; its own allow-list counts besides the agent's. */
  approvals?: ApprovalSettings
  /** What one run may use, and all of a day (UTC); null: no budget. */
  budget?: Budget | null
  /** What fires it: webhooks, schedules, changed files, pushes. None: only people do. */
  triggers?: NewTriggerInput[]
  /** Where its results go. */
  outputs?: NewOutput[]
}
/** Shown only by the answer that made it. */
export type TriggerSecret = {
  triggerId: TriggerId
  path: string
  url: string
  scheme: WebhookScheme
  secret: string
}

export type Jobs = Triggers & {
  list(): Promise<JobView[]>
  get(id: string): Promise<JobView>
  create(input: CreateJob): Promise<{
    job: JobView
    secrets: TriggerSecret[]
    /** Of webhooks going out, when they were generated. */
    outputSecrets: { outputId: string; secret: string }[]
  }>
  update(
    id: string,
    changes: Partial<Omit<CreateJob, 'key' | 'triggers' | 'outputs' | 'approvals' | 'workspace'>> & {
      /** null: its agent's. */
      workspace?: string | null
      /** null: nothing of its own, its agent's count. */
      approvals?: ApprovalSettings | null
      retention?: Partial<JobRetention>
    },
  ): Promise<JobView>
  enable(id: string): Promise<JobView>
  disable(id: string): Promise<JobView>
  delete(id: string): Promise<void>
  /** Starts the job by hand, with a payload for its prompt. `cause`: the run that asks for it, so that loops are seen. */
  run(id: string, options?: { payload?: unknown; cause?: string; idempotencyKey?: string }): Promise<Run>
}

export function createJobs(raw: Raw, call: Call, url: string): Jobs {
  return {
    list: () => call(raw.jobs.list.query()),
    get: (id) => call(raw.jobs.get.query({ id })),
    create: (input) => call(raw.jobs.create.mutate(input)),
    update: (id, changes) => call(raw.jobs.update.mutate({ id, ...changes })),
    enable: (id) => call(raw.jobs.enable.mutate({ id })),
    disable: (id) => call(raw.jobs.disable.mutate({ id })),
    async delete(id) {
      await call(raw.jobs.delete.mutate({ id }))
    },
    ...createTriggers(raw, call),
    async run(id, { payload, cause, idempotencyKey = randomUUID() } = {}) {
      const { runId } = await call(raw.jobs.run.mutate({ id, payload, cause, idempotencyKey }))
      return createRun({ raw, call, url }, runId)
    },
  }
}
