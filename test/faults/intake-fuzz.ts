import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { connect, sql } from '@baton/db'
import type { AppRouter } from '@baton/relay'
import { startTestRelay } from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { createTRPCClient, httpLink } from '@trpc/client'
import { sendRaw } from './support/raw-request.ts'
import { createRandom } from './support/seed.ts'

export type FuzzFindings = {
  requests: number
  answers: Record<string, number>
  accepted: number
  events: number
  grownMb: number
  /** What must never be. */
  wrong: string[]
}

type Hook = {
  scheme: 'standard' | 'github' | 'baton' | 'slack' | 'stripe' | 'bearer'
  path: string
  secret: string
}
type Sent = { body: string; headers: [string, string][]; hook: Hook }

const SCHEMES = ['standard', 'github', 'baton', 'slack', 'stripe', 'bearer'] as const
const AT_ONCE = 16

/**
 * Sends true, changed and broken requests over raw sockets. The relay's word is not taken for what it accepted: the bodies
 * that stand in its database must be ones that were signed here, each under its own id, as many as were answered 202.
 */
export async function fuzzIntake(options: {
  requests: number
  root?: string
  databaseUrl?: string
}): Promise<FuzzFindings> {
  const random = createRandom()
  const main = options.root ? { main: path.join(options.root, 'apps/relay/src/main.ts') } : {}
  const database = options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}
  await using relay = await startTestRelay({ ...main, ...database })
  const hooks = await makeHooks(relay)
  const connection = connect(relay.databaseUrl, { max: 2 })
  const signed = new Map<string, string>()
  const answers = new Map<string, number>()
  const wrong: string[] = []
  const accepted = new Set<string>()
  let made = 0
  await Promise.all(
    hooks.map((hook) => sendRaw(relay.port, toBytes(trueRequest(hook, 'warm', signed)), { end: false })),
  )
  const before = memoryOf(relay.pid)

  async function lane() {
    while (made < options.requests) {
      const number = made++
      const hook = pick(hooks, random)
      const { bytes, name, mayBeAccepted } = mutate(hook, number, random, signed)
      const { statuses, eventIds } = await sendRaw(relay.port, bytes, { end: name === 'a body that is cut' })
      for (const status of statuses.length > 0 ? statuses : [0])
        answers.set(String(status), (answers.get(String(status)) ?? 0) + 1)
      const taken = statuses.filter((status) => status === 202).length
      for (const id of eventIds) accepted.add(id)
      if (eventIds.length !== taken) wrong.push(`${name}: ${taken} times 202 and ${eventIds.length} events`)
      if (taken > (mayBeAccepted ? 1 : 0)) wrong.push(`${name} of ${hook.scheme}: ${statuses.join(' ')}`)
      if (statuses.some((status) => status >= 500 && status !== 501))
        wrong.push(`${name}: ${statuses.join(' ')}`)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    const { rows } = await sql<{ id: string; body_hash: string; dedup_key: string; scheme: string }>`
      select id, body_hash, dedup_key, verification ->> 'scheme' as scheme from events`.execute(connection.db)
    const known = new Set(signed.values())
    // A bearer secret proves who sends, and nothing of what is sent.
    for (const row of rows) {
      if (row.scheme !== 'bearer' && !known.has(row.body_hash))
        wrong.push(`stored and never signed: ${row.dedup_key}`)
    }
    const ready = await fetch(`${relay.url}/readyz`)
    if (ready.status !== 200) wrong.push(`the relay answers ${ready.status}`)
    const ids = new Set(rows.map((row) => row.id))
    for (const id of accepted) if (!ids.has(id)) wrong.push(`answered 202 and not stored: ${id}`)
    return {
      requests: options.requests,
      answers: Object.fromEntries([...answers].toSorted(([one], [other]) => Number(one) - Number(other))),
      accepted: accepted.size,
      events: rows.length - hooks.length,
      grownMb: Math.round((memoryOf(relay.pid) - before) / 1024),
      wrong,
    }
  } finally {
    await connection.close()
  }
}

async function makeHooks(relay: Awaited<ReturnType<typeof startTestRelay>>): Promise<Hook[]> {
  const { token } = await relay.setup<{ token: string }>({
    machineName: 'laptop',
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  const api = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${relay.url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
  })
  const { secrets } = await api.jobs.create.mutate({
    key: 'fuzz',
    agent: 'demo',
    prompt: '{{ payload }}',
    triggers: SCHEMES.map((scheme) => ({ kind: 'webhook' as const, scheme })),
  })
  return secrets.map(({ scheme, path: end, secret }) => ({
    scheme: scheme as Hook['scheme'],
    path: end,
    secret,
  }))
}

/** A request that must be accepted. Each has a body of its own, because GitHub's id is not signed. */
function trueRequest(hook: Hook, id: number | string, signed: Map<string, string>, text?: string): Sent {
  const own = `${hook.scheme}-${id}`
  const body =
    text ??
    JSON.stringify({
      id: own,
      event_id: own,
      ref: 'refs/heads/main',
      nested: { list: [1, '"', '\\', 'ü🚀'] },
    })
  signed.set(own, createHash('sha256').update(body).digest('hex'))
  const headers = signRequest({
    scheme: hook.scheme,
    secret: hook.secret,
    id: own,
    timestampMs: Date.now(),
    body,
  })
  return { body, hook, headers: [['content-type', 'application/json'], ...Object.entries(headers)] }
}

function toBytes(
  { body, headers, hook }: Sent,
  more: { method?: string; framing?: string[]; raw?: Buffer; target?: string } = {},
): Buffer {
  const bytes = more.raw ?? Buffer.from(body)
  const lines = [
    `${more.method ?? 'POST'} ${more.target ?? `/hooks/${hook.path}`} HTTP/1.1`,
    'Host: relay',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(more.framing ?? [`Content-Length: ${bytes.length}`]),
    'Connection: close',
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes])
}

type Mutated = { bytes: Buffer; name: string; mayBeAccepted: boolean }

/** One change. `mayBeAccepted` says only that it could still be true; what is stored is compared with what was signed. */
function mutate(hook: Hook, number: number, random: () => number, signed: Map<string, string>): Mutated {
  const sent = trueRequest(hook, number, signed)
  const at = (length: number) => Math.floor(random() * length)
  const refused = (name: string, bytes: Buffer): Mutated => ({ name, bytes, mayBeAccepted: false })
  const proof = sent.headers.findIndex(([name]) => /signature|authorization/.test(name))
  const changed = (name: string, change: (value: string) => string[]): Mutated => {
    const headers = sent.headers.flatMap(([key, value], index): [string, string][] =>
      index === proof ? change(value).map((one) => [key, one]) : [[key, value]],
    )
    return refused(name, toBytes({ ...sent, headers }))
  }
  const flipped = Buffer.from(sent.body)
  flipped[at(flipped.length)] = (flipped[at(flipped.length)] ?? 0) ^ (1 << at(8))
  const isSigned = hook.scheme !== 'bearer'
  const cases: (() => Mutated)[] = [
    () => ({ name: 'a true request', bytes: toBytes(sent), mayBeAccepted: true }),
    () => ({
      name: 'a flipped byte of the body',
      bytes: toBytes(sent, { raw: flipped }),
      mayBeAccepted: !isSigned || flipped.equals(Buffer.from(sent.body)),
    }),
    () => changed('no proof', () => []),
    () => changed('the proof twice', (value) => [value, value]),
    () => changed('a cut proof', (value) => [value.slice(0, at(value.length))]),
    () =>
      changed('a proof of another', (value) => [
        value.replace(/[0-9a-f](?=[^0-9a-f]*$)/, (digit) => (digit === '0' ? '1' : '0')),
      ]),
    () => refused('the path of another', toBytes(sent, { target: `/hooks/${hook.path.slice(0, -1)}` })),
    () =>
      refused(
        'no POST',
        toBytes(sent, { method: pick(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND'], random) }),
      ),
    () =>
      refused(
        'compressed',
        toBytes({
          ...sent,
          headers: [...sent.headers, ['content-encoding', pick(['gzip', 'br', 'gzip, gzip'], random)]],
        }),
      ),
    () =>
      refused(
        'both framings',
        toBytes(sent, {
          framing: [`Content-Length: ${Buffer.byteLength(sent.body)}`, 'Transfer-Encoding: chunked'],
        }),
      ),
    () =>
      refused(
        'two lengths',
        toBytes(sent, { framing: [`Content-Length: ${Buffer.byteLength(sent.body)}`, 'Content-Length: 3'] }),
      ),
    () =>
      refused(
        'a length that is none',
        toBytes(sent, {
          framing: [
            `Content-Length: ${pick(['-1', '1e3', '0x10', '+5', ' ', '99999999999999999999'], random)}`,
          ],
        }),
      ),
    () => refused('a body that is cut', toBytes(sent).subarray(0, -1 - at(20))),
    () => refused('an embedded request', embedded(sent, signed, number)),
    () =>
      refused(
        'a bare line feed',
        Buffer.from(toBytes(sent).toString('latin1').replace('\r\nHost', '\nHost'), 'latin1'),
      ),
    () =>
      refused(
        'a NUL in a header',
        Buffer.from(toBytes({ ...sent, headers: [['x-a', 'a\0b'], ...sent.headers] })),
      ),
    () => refused('noise', Buffer.from(Array.from({ length: 1 + at(400) }, () => at(256)))),
    () => {
      const bytes = toBytes(sent)
      const head = bytes.indexOf('\r\n\r\n')
      bytes[at(head)] = at(256)
      // A changed byte of a name that says nothing leaves a true request.
      return { name: 'a changed byte of the head', bytes, mayBeAccepted: true }
    },
    () => {
      const chunks = [`${Buffer.byteLength(sent.body).toString(16)}\r\n`, sent.body, '\r\n0\r\n\r\n'].join('')
      const bytes = toBytes({ ...sent, body: chunks }, { framing: ['Transfer-Encoding: chunked'] })
      return { name: 'chunked', bytes, mayBeAccepted: true }
    },
    () => {
      const text = pick(HOSTILE_BODIES, random)()
      const hostile = trueRequest(hook, number, signed, text)
      return { name: 'a hostile body, signed', bytes: toBytes(hostile), mayBeAccepted: true }
    },
  ]
  return pick(cases, random)()
}

/** A second, unsigned request behind the first, where a lax reader of lengths would see it. */
function embedded(sent: Sent, signed: Map<string, string>, number: number): Buffer {
  const inner = toBytes({
    ...sent,
    body: '{"smuggled":true}',
    headers: [['content-type', 'application/json']],
  })
  const outer = trueRequest(sent.hook, `outer-${number}`, signed)
  return toBytes(
    { ...outer, headers: outer.headers.slice(0, 1) },
    {
      raw: Buffer.concat([Buffer.from('0\r\n\r\n'), inner]),
      framing: ['Transfer-Encoding : chunked', 'Content-Length: 5'],
    },
  )
}

const HOSTILE_BODIES: (() => string)[] = [
  () => '['.repeat(100_000),
  () => `{${Array.from({ length: 60_000 }, (_, n) => `"k${n}":1`).join(',')}}`,
  () => '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  () => `{"a":"\\u0000\\ud800","n":1e400,"d":1,"d":2,"x":"${Math.random()}"}`,
  () => '',
  () => 'null',
  () => '{"broken":',
  () => JSON.stringify({ text: '{{ payload }}$(touch /tmp/x)`id`\u202e\u{e0041}', x: Math.random() }),
]

const pick = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T

/** Resident memory in KiB. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
}
