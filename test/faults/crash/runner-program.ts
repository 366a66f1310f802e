// A runner of the crash loop: it speaks the wire, keeps a journal and does one small effect for each run. It is made to
// be killed at any moment and started again; everything it must not forget is on its disk.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { encodeRunEvent, type LeaseRef, PROTOCOL_VERSION, type SettleReport } from '@baton/protocol'
import { transcriptHash } from '@baton/protocol/transcript-hash'
import { wireHello, wireRun } from '@baton/testkit'
import { createTRPCClient, createTRPCUntypedClient, createWSClient, httpLink, wsLink } from '@trpc/client'
import { openJournal } from './journal.ts'

type Phase = 'accepted' | 'running' | 'finished'
type Work = { lease: LeaseRef; phase: Phase; settle: SettleReport | null; acked: number }
type Settings = { relays: string[]; machineKey: string; journal: string; installation: string }

const SLOTS = 20
const LINES = 3
const HUNG_MS = 5_000
const LOST_ANSWERS = 0.05

const settings = JSON.parse(process.env.CRASH_RUNNER ?? '{}') as Settings
const journal = openJournal(settings.journal)
const instanceId = `${settings.installation}.${randomUUID().slice(0, 8)}`
const works = new Map<string, Work>()
for (const record of journal.records) {
  if (record.kind === 'hung') continue
  const key = keyOf(record.lease)
  if (record.kind === 'done') works.delete(key)
  else if (record.kind === 'accepted')
    works.set(key, { lease: record.lease, phase: 'accepted', settle: null, acked: 0 })
  else {
    const work = works.get(key)
    if (work) work.phase = record.kind === 'started' ? 'running' : 'finished'
    if (work && record.kind === 'finished') work.settle = record.settle
  }
}

type Client = ReturnType<typeof createTRPCUntypedClient>
let online: Client | null = null
let whenOnline = Promise.withResolvers<void>()

for (const work of works.values()) void carryOut(work)
await connectForEver()

async function connectForEver(): Promise<void> {
  for (;;) {
    // The relay was killed or is starting; there is another one.
    await connectOnce().catch(() => undefined)
    await wait(20 + Math.random() * 150)
  }
}

function keyOf(lease: LeaseRef): string {
  return `${lease.deliveryId} ${lease.fence}`
}

async function connectOnce() {
  const url = settings.relays[Math.floor(Math.random() * settings.relays.length)] as string
  const authorization = `Bearer ${settings.machineKey}`
  const http = createTRPCClient({
    links: [httpLink({ url: `${url}/trpc`, headers: { authorization } })],
  }) as never as {
    runner: { token: { mutate(input: undefined, options: object): Promise<{ token: string }> } }
  }
  const { token } = await http.runner.token.mutate(undefined, { signal: AbortSignal.timeout(HUNG_MS) })
  const closed = Promise.withResolvers<void>()
  const ws = createWSClient({
    url: `${url.replace('http', 'ws')}/trpc`,
    connectionParams: () => ({ token, protocolVersion: String(PROTOCOL_VERSION) }),
    retryDelayMs: () => 60_000,
    onClose: () => closed.resolve(),
    onError: () => closed.resolve(),
  })
  const client = createTRPCUntypedClient({ links: [wsLink({ client: ws })] })
  try {
    await Promise.race([greet(client), closed.promise.then(() => Promise.reject(new Error('closed')))])
    const slots = Math.max(0, SLOTS - works.size)
    client.subscription(
      'runner.deliveries',
      { instanceId, slots },
      {
        onData: (message) => take((message as { data: { deliveries: LeaseRef[] } }).data.deliveries),
        onError: () => closed.resolve(),
        onComplete: () => closed.resolve(),
      },
    )
    online = client
    whenOnline.resolve()
    const renewing = setInterval(() => void renew(client), 2_000)
    await closed.promise
    clearInterval(renewing)
  } finally {
    if (online === client) {
      online = null
      whenOnline = Promise.withResolvers<void>()
    }
    ws.connection?.ws.close()
    void ws.close()
  }
}

async function greet(client: Client) {
  const held = [...works.values()].map(({ lease, phase }) => ({ ...lease, phase }))
  const answer = (await timed('hello', client.mutation('runner.hello', wireHello(instanceId, held)))) as {
    verdicts: { deliveryId: string; runId: string; verdict: string; ackedSeq: number }[]
  }
  for (const verdict of answer.verdicts) {
    const work = [...works.values()].find(({ lease }) => lease.runId === verdict.runId)
    if (!work) continue
    work.acked = verdict.ackedSeq
    // What has an end on this disk is settled until that is answered, whatever the verdict.
    if (work.phase !== 'finished' && verdict.verdict !== 'keep') forget(work, 'dropped')
  }
}

function take(pushed: LeaseRef[]) {
  const fresh = pushed
    .map(({ deliveryId, runId, fence }) => ({ deliveryId, runId, fence }))
    .filter((lease) => !works.has(keyOf(lease)))
  if (fresh.length === 0) return
  journal.write(...fresh.map((lease) => ({ kind: 'accepted' as const, lease })))
  for (const lease of fresh) {
    const work: Work = { lease, phase: 'accepted', settle: null, acked: 0 }
    works.set(keyOf(lease), work)
    void carryOut(work)
  }
}

async function carryOut(work: Work) {
  const { lease } = work
  if (work.phase === 'accepted') {
    const [accepted] = await untilAnswered<{ ok: boolean }[]>(work, 'accept', () => ({ deliveries: [lease] }))
    if (!isHeld(work)) return
    if (!accepted?.ok) return forget(work, 'dropped')
    journal.write({ kind: 'started', lease })
    work.phase = 'running'
  }
  const events = Array.from({ length: LINES }, (_, index) =>
    encodeRunEvent(index, { type: 'message', role: 'assistant', text: `${lease.runId} line ${index} 🌹` }),
  )
  if (work.phase === 'running') {
    await untilAnswered(work, 'start', () => ({
      sentAt: 1,
      runs: [{ ...lease, startedAt: 1, workspace: '/w' }],
    }))
    while (isHeld(work) && work.acked < LINES) {
      const answer = await untilAnswered<{ ackedSeq: number; result: string }>(work, 'append', () => {
        const one = events.slice(work.acked, work.acked + 1)
        return { runId: lease.runId, fence: lease.fence, fromSeq: work.acked + 1, events: one }
      })
      if (!isHeld(work)) return
      if (answer.result === 'unknown_run') return forget(work, 'dropped')
      work.acked = answer.ackedSeq
    }
    if (!isHeld(work)) return
    const { settle } = wireRun(lease, [], { finalSeq: LINES, finalHash: transcriptHash(lease.runId, events) })
    journal.write({ kind: 'finished', lease, settle })
    work.settle = settle
    work.phase = 'finished'
  }
  const [settled] = await untilAnswered<{ result: 'settled' }[]>(work, 'settle', () => ({
    sentAt: Date.now(),
    runs: [work.settle],
  }))
  forget(work, settled?.result ?? 'dropped')
}

function isHeld(work: Work): boolean {
  return works.has(keyOf(work.lease))
}

function forget(work: Work, result: 'settled' | 'dropped') {
  if (!works.delete(keyOf(work.lease))) return
  journal.write({ kind: 'done', lease: work.lease, result })
  void online?.mutation('runner.offer', { slots: 1 }).catch(() => undefined)
}

async function untilAnswered<T>(work: Work, call: string, input: () => object): Promise<T> {
  for (;;) {
    await whenOnline.promise
    if (!isHeld(work)) return [] as T
    try {
      const client = online
      if (client) {
        const answer = (await timed(call, client.mutation(`runner.${call}`, input()))) as T
        // What a network does: the call arrived and its answer did not.
        if (Math.random() >= LOST_ANSWERS) return answer
      }
    } catch {
      await wait(20 + Math.random() * 80)
    }
    await wait(1)
  }
}

/** A call that is neither answered nor refused in time is written down, and given up. */
async function timed<T>(call: string, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    journal.write({ kind: 'hung', call, ms: HUNG_MS })
    late.reject(new Error('hung'))
  }, HUNG_MS)
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function renew(client: Client) {
  const deliveries = [...works.values()].filter(({ phase }) => phase !== 'finished').map(({ lease }) => lease)
  await client.mutation('runner.renew', { deliveries, heartbeat: true }).catch(() => undefined)
}
