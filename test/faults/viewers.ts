import { readFileSync } from 'node:fs'
import { type Connection, connect, sql } from '@baton/db'
import { encodeRunEvent, type LeaseRef, type PushedDelivery } from '@baton/protocol'
import type { AppRouter } from '@baton/relay'
import { connectWireRunner, eventually, leaseOf, startTestRelay, type TestRelay } from '@baton/testkit'
import { createTRPCClient, createWSClient, httpLink, wsLink } from '@trpc/client'
import { WebSocket } from 'ws'

export type CrowdFindings = { appends: number; looks: number; gapsOrRepeats: string[]; growthMib: number }
export type StalledFindings = { growthMib: number; closed: number; healthyLate: boolean; resumed: boolean }

const MIB = 1024 * 1024
const growth = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
const socketOf = (relay: TestRelay) => `${relay.url.replace('http', 'ws')}/trpc`

/** A run on `relay` whose transcript the caller writes. */
async function openRun(relay: TestRelay) {
  const made = await relay.setup<{ token: string; machineKey: string }>({
    machineName: 'laptop',
    wantToken: true,
    wantMachineKey: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  const api = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${relay.url}/trpc`, headers: { authorization: `Bearer ${made.token}` } })],
  })
  const runner = await connectWireRunner(relay.url, made.machineKey)
  const pushed: PushedDelivery[] = []
  runner.subscribe({ slots: 1, onPush: (push) => void pushed.push(...push.deliveries) })
  const { runId } = await api.runs.create.mutate({ prompt: 'x', agent: 'demo' })
  const lease: LeaseRef = await eventually(() => {
    if (!pushed[0]) throw new Error('nothing was pushed')
    return leaseOf(pushed[0])
  })
  await runner.api.runner.accept.mutate({ deliveries: [lease] })
  const run = { ...lease, startedAt: Date.now(), workspace: '/w' }
  await runner.api.runner.start.mutate({ sentAt: Date.now(), runs: [run] })
  let next = 1
  return {
    runId,
    token: made.token,
    last: () => next - 1,
    async append(count: number, text: string) {
      const events = Array.from({ length: count }, () =>
        encodeRunEvent(Date.now(), { type: 'output', stream: 'stdout', text }),
      )
      const { runId, fence } = lease
      await runner.api.runner.append.mutate({ runId, fence, fromSeq: next, events })
      next += count
    },
    close: () => runner.close(),
  }
}

/** Follows a run; `at` is the last number seen, `wrong` what was missing or came twice. */
function follow(relay: TestRelay, token: string, runId: string) {
  const client = createWSClient({ url: socketOf(relay), connectionParams: () => ({ token }) })
  const api = createTRPCClient<AppRouter>({ links: [wsLink({ client })] })
  const seen = { at: 0, wrong: [] as string[], close: () => client.close() }
  api.runs.events.subscribe(
    { id: runId },
    {
      onData: ({ data }) => {
        for (const { seq } of data) {
          if (seq !== seen.at + 1) seen.wrong.push(`${seq} after ${seen.at}`)
          seen.at = seq
        }
      },
    },
  )
  return seen
}

/** Many viewers of one run, half of them on another relay than its runner. */
export async function watchInACrowd(options: {
  viewers: number
  appends: number
  databaseUrl: string
  main?: string
}): Promise<CrowdFindings> {
  const { databaseUrl, viewers, appends, main } = options
  const start = () => startTestRelay({ databaseUrl, ...(main ? { main } : {}) })
  await using first = await start()
  await using second = await start()
  const connection = connect(databaseUrl, { max: 1, name: 'crowd' })
  const run = await openRun(first)
  const crowd = Array.from({ length: viewers }, (_, i) =>
    follow(i % 2 ? first : second, run.token, run.runId),
  )
  try {
    await run.append(1, 'first')
    await untilAt(crowd, 1)
    const before = await looksOf(connection)
    const base = growth(second.pid)
    for (let i = 0; i < appends; i++) await run.append(10, `line ${'x'.repeat(100)}`)
    await untilAt(crowd, run.last())
    const growthMib = growth(second.pid) - base
    return {
      appends,
      looks: (await looksOf(connection)) - before,
      gapsOrRepeats: crowd.flatMap(({ wrong }) => wrong),
      growthMib,
    }
  } finally {
    await Promise.all(crowd.map(({ close }) => close()))
    await run.close()
    await connection.close()
  }
}

const untilAt = (crowd: { at: number }[], seq: number) =>
  eventually(
    () => {
      const least = Math.min(...crowd.map(({ at }) => at))
      if (least < seq) throw new Error(`the slowest viewer is at ${least} of ${seq}`)
    },
    { timeoutMs: 60_000 },
  )

/** How often transcripts were read. Backends tell their counts when they have been idle for a moment. */
async function looksOf(connection: Connection): Promise<number> {
  let last = -1
  return await eventually(
    async () => {
      const { rows } = await sql<{ idx_scan: number }>`
        select idx_scan::int from pg_stat_user_tables where relname = 'run_events'`.execute(connection.db)
      const now = rows[0]?.idx_scan ?? 0
      const isSettled = now === last
      last = now
      if (!isSettled) throw new Error(`still counting: ${now}`)
      return now
    },
    { timeoutMs: 20_000, everyMs: 1_200 },
  )
}

/** Viewers that stop reading beside one that does not, while `mib` of transcript are written. */
export async function watchStalled(options: {
  stalled: number
  mib: number
  databaseUrl: string
  main?: string
}): Promise<StalledFindings> {
  const { databaseUrl, main } = options
  await using relay = await startTestRelay({ databaseUrl, ...(main ? { main } : {}) })
  const run = await openRun(relay)
  const healthy = follow(relay, run.token, run.runId)
  const sockets = await Promise.all(
    Array.from({ length: options.stalled }, () => stall(relay, run.token, run.runId)),
  )
  await run.append(1, 'first')
  await untilAt([healthy], 1)
  const base = growth(relay.pid)
  let peak = base
  const sampling = setInterval(() => {
    peak = Math.max(peak, growth(relay.pid))
  }, 50)
  try {
    for (let written = 0; written < options.mib * MIB; written += 480_000)
      await run.append(8, 'y'.repeat(60_000))
    const healthyLate = healthy.at < run.last() - 80
    await untilAt([healthy], run.last())
    const closed = await openSockets(relay, 2).then(
      () => options.stalled,
      () => 0,
    )
    const again = follow(relay, run.token, run.runId)
    await untilAt([again], run.last())
    const resumed = again.wrong.length === 0
    await again.close()
    return { growthMib: Math.round(peak - base), closed, healthyLate, resumed }
  } finally {
    clearInterval(sampling)
    for (const socket of sockets) socket.terminate()
    await healthy.close()
    await run.close()
  }
}

/** A viewer whose computer stopped: it asks for the run and then reads nothing more. */
async function stall(relay: TestRelay, token: string, runId: string): Promise<WebSocket> {
  const socket = new WebSocket(`${socketOf(relay)}?connectionParams=1`)
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }))
  socket.send(
    JSON.stringify({
      id: 1,
      method: 'subscription',
      params: { path: 'runs.events', input: { id: runId } },
    }),
  )
  socket.pause()
  return socket
}

/** Until no more than this many sockets are open at the relay: the runner's and the healthy viewer's. */
const openSockets = (relay: TestRelay, most: number) =>
  eventually(
    async () => {
      const text = await (await fetch(`${relay.url}/metrics`)).text()
      const open = Number(/^baton_sockets(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1])
      if (!(open <= most)) throw new Error(`${open} sockets are open`)
    },
    { timeoutMs: 15_000 },
  )
