import { type Connection, connect, sql } from '@baton/db'
import type { DispatchView, PushedDelivery, RunEventBody, RunView, SettleReport } from '@baton/protocol'
import {
  connectApi,
  connectWireRunner,
  eventually,
  leaseOf,
  startTestRelay,
  type TestRelay,
  type WireApi,
  type WireRunner,
  wireRun,
} from '@baton/testkit'

export type OutputApi = WireApi

export type OutputPlace = Awaited<ReturnType<typeof makeOutputPlace>>

/** A relay whose administrator opened loopback, and a machine that speaks the wire and does what it is told to report. */
export async function makeOutputPlace(env: Record<string, string> = {}) {
  const settings = { BATON_OUTBOUND_ALLOW: '127.0.0.1', ...env }
  let relay: TestRelay = await startTestRelay({ env: settings })
  const { databaseUrl, port } = relay
  const connection: Connection = connect(databaseUrl, { max: 2 })
  const setUp = (organization: string) =>
    relay.setup<{ token: string; machineKey: string; machineId: string }>({
      organization,
      machineName: 'laptop',
      wantToken: true,
      wantMachineKey: true,
      agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
    })
  const made = await setUp('mine')
  const other = await setUp('theirs')
  const api = connectApi(relay.url, made.token)
  let runner: WireRunner | null = null
  let jobs = 0

  async function openRunner(): Promise<WireRunner> {
    runner ??= await connectWireRunner(relay.url, made.machineKey, { takeover: true })
    return runner
  }

  return {
    api,
    theirs: connectApi(relay.url, other.token),
    machineId: made.machineId,
    connection,
    relay: () => relay,
    openRunner,

    /** A job with these outputs; `on` and `text` as the API takes them. */
    async job(outputs: Parameters<typeof api.jobs.create.mutate>[0]['outputs']) {
      const key = `job-${++jobs}`
      return { key, ...(await api.jobs.create.mutate({ key, agent: 'demo', prompt: 'x', outputs })) }
    },

    /** Fires the job, has the machine work on it, and reports this end. */
    async finish(jobKey: string, end: Partial<SettleReport> = {}, payload: unknown = {}): Promise<RunView> {
      const opened = await openRunner()
      const wire = opened.api
      const pushed = Promise.withResolvers<PushedDelivery>()
      const session = opened.subscribe({
        slots: 1,
        onPush: ({ deliveries }) => deliveries[0] && pushed.resolve(deliveries[0]),
        onEnd: (error) => pushed.reject(error ?? new Error('The session ended.')),
      })
      const { runId } = await api.jobs.run.mutate({ id: jobKey, payload })
      const delivery = await pushed.promise
      const lease = leaseOf(delivery)
      const bodies: RunEventBody[] = [{ type: 'message', role: 'assistant', text: 'hello' }]
      const { events, settle } = wireRun(lease, bodies, end)
      await wire.runner.accept.mutate({ deliveries: [lease] })
      await wire.runner.start.mutate({
        sentAt: Date.now(),
        runs: [{ ...lease, startedAt: Date.now() - 1_000, workspace: '/work' }],
      })
      await wire.runner.append.mutate({ runId: lease.runId, fence: lease.fence, fromSeq: 1, events })
      await wire.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
      session.unsubscribe()
      return api.runs.get.query({ id: runId })
    },

    /** The dispatches of a run, when all of them are as `check` wants them. */
    dispatches: (run: { id: string }, check: (dispatches: DispatchView[]) => boolean = allEnded) =>
      eventually(
        async () => {
          const { dispatches } = await api.runs.get.query({ id: run.id })
          if (!check(dispatches)) throw new Error(`not yet: ${JSON.stringify(dispatches)}`)
          return dispatches
        },
        { timeoutMs: 20_000, everyMs: 30 },
      ),

    /** What waits for its next try, or for the end of a claim, is due now. */
    timePasses: (run: { id: string }) =>
      sql`update dispatches set next_at = now() where run_id = ${run.id} and state in ('pending', 'sending')`.execute(
        connection.db,
      ),

    /** Ends the relay at once and starts it again on the same port. */
    async restart(more: Record<string, string> = {}) {
      await relay.kill('SIGKILL')
      await runner?.close()
      runner = null
      relay = await startTestRelay({ databaseUrl, port, env: { ...settings, ...more } })
    },

    async [Symbol.asyncDispose]() {
      await runner?.close()
      await connection.close()
      await relay[Symbol.asyncDispose]()
    },
  }
}

const allEnded = (dispatches: DispatchView[]) =>
  dispatches.length > 0 && dispatches.every(({ state }) => state !== 'pending' && state !== 'sending')
