import { encodeRunEvent, type LeaseRef, RUN_EVENT_BYTES } from '@baton/protocol'
import { connectWireRunner, leaseOf, type WireRunner, wireRun } from '@baton/testkit'
import { WebSocket } from 'ws'
import { nowMs } from '../support/now-ms.ts'
import { serveCalls } from '../support/worker.ts'

/** A runner with one run, or a raw socket of the peer: both send events of up to 64 KiB full of lines of 100 bytes. */
export type ProduceLines = {
  overRelay(input: { url: string; key: string }): Promise<{ runId: string }>
  overRaw(input: { port: number }): Promise<void>
  /** As fast as they are stored. Resolves with when the last one was acknowledged. */
  flood(input: {
    lines: number
  }): Promise<{ startedMs: number; storedMs: number; events: number; lines: number }>
  /** At a steady rate, sent at once while nothing is under way. */
  steady(input: { perSecond: number; seconds: number }): Promise<{ events: number }>
  end(input: null): Promise<void>
}

const LINE_BYTES = 100
/** A newline is two characters in the encoded event. */
const LINES_PER_EVENT = Math.floor((RUN_EVENT_BYTES - 200) / (LINE_BYTES + 1))
/** What a runner sends in one append: 512 KiB of encoded events. */
const EVENTS_PER_APPEND = 7
const TICK_MS = 5

/** Sends encoded events and resolves when they are stored. */
type Send = (fromSeq: number, events: string[]) => Promise<void>
let send: Send = () => Promise.reject(new Error('Connect first.'))
let nextSeq = 1
let runner: WireRunner | null = null
let lease: LeaseRef | null = null

serveCalls({
  async overRelay({ url, key }) {
    const wire = await connectWireRunner(url, key)
    runner = wire
    const taken = await new Promise<LeaseRef>((resolve) => {
      wire.subscribe({ slots: 1, onPush: ({ deliveries: [first] }) => first && resolve(leaseOf(first)) })
    })
    lease = taken
    await wire.api.runner.accept.mutate({ deliveries: [taken] })
    const started = { ...taken, startedAt: Date.now(), workspace: '/nowhere' }
    await wire.api.runner.start.mutate({ sentAt: Date.now(), runs: [started] })
    send = async (fromSeq, events) => {
      const answer = await wire.api.runner.append.mutate({
        runId: taken.runId,
        fence: taken.fence,
        fromSeq,
        events,
      })
      if (answer.ackedSeq !== fromSeq + events.length - 1)
        throw new Error(`Not stored: ${JSON.stringify(answer)}`)
    }
    return { runId: taken.runId }
  },

  async overRaw({ port }) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/produce`, { perMessageDeflate: false })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const waiting = new Map<number, () => void>()
    socket.on('message', (seq: Buffer) => waiting.get(Number(seq.toString()))?.())
    send = async (fromSeq, events) => {
      const stored = events.map((text, index) => {
        const seq = fromSeq + index
        socket.send(`${seq} ${text}`)
        return new Promise<void>((resolve) => waiting.set(seq, resolve))
      })
      await Promise.all(stored)
      for (const seq of events.keys()) waiting.delete(fromSeq + seq)
    }
  },

  async flood({ lines }) {
    const events = Math.ceil(lines / LINES_PER_EVENT)
    const text = `${'x'.repeat(LINE_BYTES - 1)}\n`.repeat(LINES_PER_EVENT)
    const startedMs = nowMs()
    for (let sent = 0; sent < events; sent += EVENTS_PER_APPEND) {
      const batch = Array.from({ length: Math.min(EVENTS_PER_APPEND, events - sent) }, () =>
        encodeRunEvent(Date.now(), { type: 'output', stream: 'stdout', text }),
      )
      await send(nextSeq, batch)
      nextSeq += batch.length
    }
    return { startedMs, storedMs: nowMs(), events, lines: events * LINES_PER_EVENT }
  },

  async steady({ perSecond, seconds }) {
    const waiting: string[] = []
    let sending: Promise<void> | undefined
    const firstSeq = nextSeq
    const sendAll = async () => {
      while (waiting.length > 0) {
        const text = waiting.splice(0, LINES_PER_EVENT).join('')
        const seq = nextSeq++
        await send(seq, [encodeRunEvent(Date.now(), { type: 'output', stream: 'stdout', text })])
      }
      sending = undefined
    }
    const startedMs = nowMs()
    let printed = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(perSecond * seconds, Math.floor(((nowMs() - startedMs) / 1000) * perSecond))
        const stamp = nowMs().toFixed(3)
        for (; printed < due; printed++) waiting.push(`${`at ${stamp} `.padEnd(LINE_BYTES - 1, 'x')}\n`)
        if (waiting.length > 0) sending ??= sendAll()
        if (printed < perSecond * seconds) return
        clearInterval(timer)
        resolve()
      }, TICK_MS)
    })
    await Promise.all([sending])
    return { events: nextSeq - firstSeq }
  },

  async end() {
    if (!runner || !lease) return
    const ending = encodeRunEvent(Date.now(), { type: 'result', text: 'ok' })
    await send(nextSeq, [ending])
    const { settle } = wireRun(lease, [])
    await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [{ ...settle, finalSeq: nextSeq }] })
    await runner.close()
  },
} satisfies ProduceLines)
