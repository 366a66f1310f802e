import type {
  DispatchDetail,
  DispatchState,
  DispatchView,
  OutputMoment,
  OutputTest,
  OutputText,
  OutputView,
  UserOutputKind,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { listPages } from './list-pages.ts'

export type NewOutput = {
  kind: UserOutputKind
  /** Default: always. */
  on?: OutputMoment
  /** What the kind needs: docs/outputs.md. */
  config?: Record<string, unknown>
  text?: Partial<OutputText>
}

/** Where the results of jobs go. Secrets are never answered: `***` stands for one, and keeps it when sent back. */
export type Outputs = {
  /** Of one job (id or key), or of all. */
  list(job?: string): Promise<OutputView[]>
  get(id: string): Promise<OutputView>
  /** `secret`: the signing secret of a webhook, when it was generated; shown only here. */
  create(job: string, output: NewOutput): Promise<{ output: OutputView; secret: string | null }>
  /** `config` replaces the whole config. */
  update(id: string, changes: Omit<NewOutput, 'kind'>): Promise<OutputView>
  enable(id: string): Promise<OutputView>
  disable(id: string): Promise<OutputView>
  delete(id: string): Promise<void>
  /** Sends a sample now and waits for what comes of it. */
  test(id: string): Promise<OutputTest>
}

export type DispatchFilter = {
  states?: DispatchState[]
  /** Id or key. */
  job?: string
  /** Id of a run or delivery. */
  run?: string
  outputId?: string
  eventId?: string
  pageSize?: number
}

/** The outbox: each sending of each output, with its tries. */
export type Dispatches = {
  /** Newest first. */
  list(filter?: DispatchFilter): AsyncGenerator<DispatchView, void, undefined>
  get(id: string): Promise<DispatchDetail>
  /** Starts over what was not sent, under the same key. */
  sendAgain(id: string): Promise<DispatchView>
  skip(id: string): Promise<DispatchView>
}

export function createOutputs(raw: Raw, call: Call): Outputs {
  return {
    list: (job) => call(raw.outputs.list.query(job === undefined ? {} : { job })),
    get: (id) => call(raw.outputs.get.query({ id })),
    create: (job, output) => call(raw.outputs.create.mutate({ job, ...output })),
    update: (id, changes) => call(raw.outputs.update.mutate({ id, ...changes })),
    enable: (id) => call(raw.outputs.enable.mutate({ id })),
    disable: (id) => call(raw.outputs.disable.mutate({ id })),
    async delete(id) {
      await call(raw.outputs.delete.mutate({ id }))
    },
    test: (id) => call(raw.outputs.test.mutate({ id })),
  }
}

export function createDispatches(raw: Raw, call: Call): Dispatches {
  return {
    list: ({ pageSize = 50, ...filter } = {}) =>
      listPages((cursor) => call(raw.dispatches.list.query({ ...filter, limit: pageSize, cursor }))),
    get: (id) => call(raw.dispatches.get.query({ id })),
    sendAgain: (id) => call(raw.dispatches.sendAgain.mutate({ id })),
    skip: (id) => call(raw.dispatches.skip.mutate({ id })),
  }
}
