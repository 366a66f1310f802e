import { randomUUID } from 'node:crypto'
import type {
  DeliveryId,
  EventId,
  RunChanges,
  RunId,
  RunLimits,
  RunRules,
  RunSummary,
  RunView,
  SpawnReport,
  StatusWord,
  UndoView,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { listPages } from './list-pages.ts'
import { createRun, type Run } from './run.ts'
import { type UndoOptions, undoRun } from './undo-run.ts'

export type CreateRun = {
  /** What the agent shall do. */
  prompt: string
  /** An agent's id or key, or `auto`: one that is ready. */
  agent: string
  /** An absolute folder on the agent's machine; without it the agent's own. */
  workspace?: string
  limits?: Partial<RunLimits>
  rules?: Partial<Pick<RunRules, 'priority' | 'delayMs' | 'ttlMs' | 'stallMs'>>
  /** Runs of an agent with the same name go on with one conversation, one after the other. */
  conversation?: string
  /** A run, or the name of a conversation, to go on with; then `agent` may be `auto`. */
  continue?: string
  /** The same key again gives the same run. Made when absent, so that a repeated call never starts a second run. */
  idempotencyKey?: string
}
export type ListRuns = {
  status?: StatusWord | StatusWord[]
  agentId?: string
  jobId?: string
  machineId?: string
  /** How many to ask for at once. */
  pageSize?: number
}
export type Started = { eventId: EventId; deliveryId: DeliveryId; runId: RunId }

export type Runs = {
  create(input: CreateRun): Promise<Run>
  /** A run id, a delivery id, or the unique beginning of a run id. */
  get(id: string): Promise<RunView>
  /** A handle without asking the relay. */
  open(id: string): Run
  /** Newest first. */
  list(filter?: ListRuns): AsyncGenerator<RunSummary, void, undefined>
  cancel(id: string, reason?: string): Promise<RunView>
  /** The same prompt, agent and event once more, as a new delivery. */
  again(id: string): Promise<Run>
  /** Gives work whose machine is away to another agent; what the old machine reports later changes nothing else. */
  move(id: string, to: { agent: string; workspace?: string }): Promise<RunView>
  /** Stops waiting for the machine of a stalled run. */
  giveUp(id: string): Promise<RunView>
  /** How its agent was started and how it ended; null until then, and for a run that never started. */
  spawn(id: string): Promise<SpawnReport | null>
  /** What it changed in its workspace, with the diff; null when it has not ended or nobody could tell. */
  changes(id: string): Promise<RunChanges | null>
  /**
   * Puts the workspace of a finished run back to before it (`redo` takes that back). The machine carries it out, all or
   * nothing, and waits for nobody: resolves when it has answered, or with `asked` after `waitMs` (default 30 s).
   */
  undo(id: string, options?: UndoOptions): Promise<UndoView>
}

export function createRuns(raw: Raw, call: Call, url: string): Runs {
  const open = (id: string) => createRun({ raw, call, url }, id as RunId)
  return {
    open,
    get: (id) => call(raw.runs.get.query({ id })),
    cancel: (id, reason) => open(id).cancel(reason),
    async create({ idempotencyKey = randomUUID(), ...input }) {
      const { runId } = await call(raw.runs.create.mutate({ ...input, idempotencyKey }))
      return open(runId)
    },
    async again(id) {
      const { runId } = await call(raw.runs.again.mutate({ id, idempotencyKey: randomUUID() }))
      return open(runId)
    },
    move: (id, to) => call(raw.runs.move.mutate({ id, ...to })),
    giveUp: (id) => call(raw.runs.giveUp.mutate({ id })),
    spawn: (id) => call(raw.runs.spawn.query({ id })),
    changes: (id) => call(raw.runs.changes.query({ id })),
    undo: (id, options) => undoRun(raw, call, id, options),
    list({ status, pageSize = 50, ...filter } = {}) {
      const words = status === undefined ? {} : { status: Array.isArray(status) ? status : [status] }
      return listPages((cursor) =>
        call(raw.runs.list.query({ ...filter, ...words, limit: pageSize, cursor })),
      )
    },
  }
}
