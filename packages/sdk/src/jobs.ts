import { randomUUID } from 'node:crypto'
import type {
  ApprovalSettings,
  JobRetention,
  JobView,
  RunLimits,
  RunRules,
  TriggerId,
  WebhookScheme,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { createRun, type Run } from './run.ts'

export type WebhookTrigger = {
  kind: 'webhook'
  scheme: WebhookScheme
  /** The last part of the public address; one that nobody can guess is made when absent. */
  path?: string
  /** Made when absent. */
  secret?: string
}
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
  triggers?: WebhookTrigger[]
}
/** Shown only by the answer that made it. */
export type TriggerSecret = {
  triggerId: TriggerId
  path: string
  url: string
  scheme: WebhookScheme
  secret: string
}

export type Jobs = {
  list(): Promise<JobView[]>
  get(id: string): Promise<JobView>
  create(input: CreateJob): Promise<{ job: JobView; secrets: TriggerSecret[] }>
  update(
    id: string,
    changes: Partial<Omit<CreateJob, 'key' | 'triggers' | 'approvals'>> & {
      /** null: nothing of its own, its agent's count. */
      approvals?: ApprovalSettings | null
      retention?: Partial<JobRetention>
    },
  ): Promise<JobView>
  enable(id: string): Promise<JobView>
  disable(id: string): Promise<JobView>
  delete(id: string): Promise<void>
  rotateSecret(triggerId: string): Promise<{ secret: string }>
  /** Starts the job by hand, with a payload for its prompt. */
  run(id: string, options?: { payload?: unknown; idempotencyKey?: string }): Promise<Run>
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
    rotateSecret: (triggerId) => call(raw.jobs.rotateSecret.mutate({ triggerId })),
    async run(id, { payload, idempotencyKey = randomUUID() } = {}) {
      const { runId } = await call(raw.jobs.run.mutate({ id, payload, idempotencyKey }))
      return createRun({ raw, call, url }, runId)
    },
  }
}
