import type { AppRouter } from '@baton/relay'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { WebSocket } from 'ws'
import { nowMs } from '../support/now-ms.ts'
import { serveCalls } from '../support/worker.ts'

/** Viewers of one run, each with a socket of its own, as browsers have. */
export type ViewLines = {
  overRelay(input: { url: string; token: string; runId: string; viewers: number }): Promise<void>
  overRaw(input: { port: number; viewers: number }): Promise<void>
  /** Resolves when every viewer has seen this many events since the connection, with when the last one had. */
  seen(input: { events: number }): Promise<{ atMs: number }>
  /** Forgets what was counted; the lags of stamped lines since then come with `lags`. */
  reset(input: null): void
  lags(input: null): number[]
}

let counts: number[] = []
let lastMs = 0
let lags: number[] = []
let waiting: { events: number; resolve: () => void } | null = null

serveCalls({
  async overRelay({ url, token, runId, viewers }) {
    counts = Array(viewers).fill(0)
    await Promise.all(counts.map((_, viewer) => watchRun(viewer, url, token, runId)))
  },
  async overRaw({ port, viewers }) {
    counts = Array(viewers).fill(0)
    await Promise.all(counts.map((_, viewer) => watchRaw(viewer, port)))
  },
  async seen({ events }) {
    if (Math.min(...counts) < events) await new Promise<void>((resolve) => (waiting = { events, resolve }))
    waiting = null
    return { atMs: lastMs }
  },
  reset() {
    counts.fill(0)
    lags = []
  },
  lags: () => lags,
} satisfies ViewLines)

function watchRun(viewer: number, url: string, token: string, runId: string): Promise<void> {
  const client = createWSClient({
    url: `${url.replace(/^http/, 'ws')}/trpc`,
    connectionParams: () => ({ token }),
  })
  const api = createTRPCClient<AppRouter>({ links: [wsLink({ client })] })
  let lastSeq = 0
  return new Promise((resolve, reject) => {
    api.runs.events.subscribe(
      { id: runId },
      {
        onStarted: () => resolve(),
        onError: reject,
        onData({ data }) {
          for (const { seq, text } of data) {
            if (seq !== ++lastSeq) throw new Error(`Event ${seq} came where ${lastSeq} was due.`)
            note(viewer, text)
          }
        },
      },
    )
  })
}

function watchRaw(viewer: number, port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/view`, { perMessageDeflate: false })
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    note(viewer, text.slice(text.indexOf(' ') + 1))
  })
  return new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
}

/** Reads each event as a viewer's program does; of stamped lines the first one, which waited longest, is timed. */
function note(viewer: number, encoded: string): void {
  const event = JSON.parse(encoded) as { text?: string }
  lastMs = nowMs()
  const stamp = /^at ([\d.]+) /.exec(event.text ?? '')?.[1]
  if (stamp) lags.push(lastMs - Number(stamp))
  counts[viewer] = (counts[viewer] ?? 0) + 1
  if (waiting && Math.min(...counts) >= waiting.events) waiting.resolve()
}
