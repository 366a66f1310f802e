import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Connection } from '@baton/db'
import { connect } from '@baton/db'
import type { Logger, Service } from '@baton/service'

/**
 * "Look again" between relays: machine (it may have work), delivery (one was stored that may be leased by its id), cancel (a
 * machine holds something to be ended), control (a machine holds a run that a person told something), run (it has new events),
 * change (rows of an organization changed, as `<organization> <kind> <id>`), config (jobs, agents or triggers changed), revoked
 * (a machine's id, or the hash of a session or token). A hint carries no truth and may get lost; whoever waits for one polls too.
 */
export type HintKind = 'machine' | 'delivery' | 'cancel' | 'control' | 'run' | 'change' | 'config' | 'revoked'
export type Hint = { kind: HintKind; key: string }

export type Hints = Service & {
  /** Tells this relay at once and the others within some milliseconds. */
  send(kind: HintKind, key: string): void
  /** Tells this relay alone. */
  sendHere(hint: Hint): void
  /**
   * Tells the others alone, right behind the statement that is under way on the one connection of this pool: the server turns
   * to it with that statement's commit, which saves the way back and forth. Resolves when it was sent. Null while hints are
   * being gathered: they have to be sent after the commit.
   */
  sendBehind(writer: Connection, hints: Hint[]): Promise<void> | null
  /** Called for each hint of this kind. */
  on(kind: HintKind, listener: (key: string) => void): () => void
  /** Called when hints may have been lost: everything should be looked at again. */
  onResync(listener: () => void): () => void
}

const CHANNEL = 'baton'
const NOTIFY = 'select pg_notify($1, $2)'
const GATHER_MS = 5
const PROBE_MS = 2_000
const PROBE_LIMIT_MS = 3_000
/** Postgres refuses payloads of 8,000 bytes. */
const PAYLOAD_BYTES = 7_500

/**
 * One LISTEN connection for the whole relay. The first hint is sent at once, what gathers while it is on its way a few
 * milliseconds later in one NOTIFY, never inside a transaction that inserts (its commit lock is instance-wide: 77 % of
 * inserts lost at 64 callers). The connection is proved by hearing its own probe; a deaf one is replaced and everybody
 * looks again.
 */
export function createHints(databaseUrl: string, connection: Connection, log: Logger): Hints {
  const self = randomUUID().slice(0, 8)
  const emitter = new EventEmitter()
  emitter.setMaxListeners(0)
  const waiting = new Set<string>()
  let flushing: Promise<void> | null = null
  const stopping = new AbortController()
  let loop: Promise<void> | null = null

  function send(kind: HintKind, key: string) {
    emitter.emit(kind, key)
    waiting.add(`${kind} ${key}`)
    // What the same turn of the event loop adds goes along.
    flushing ??= flushAfter(Promise.resolve())
  }

  function sendBehind(writer: Connection, hints: Hint[]): Promise<void> | null {
    if (flushing !== null) return null
    for (const { kind, key } of hints) waiting.add(`${kind} ${key}`)
    const sent = notify(writer)
    flushing = flushAfter(sent.then(() => wait(GATHER_MS)))
    return sent
  }

  async function flushAfter(before: Promise<void>) {
    await before
    while (waiting.size > 0) {
      await notify(connection)
      await wait(GATHER_MS)
    }
    flushing = null
  }

  async function notify(writer: Connection) {
    const payload = takePayload()
    try {
      await writer.run(NOTIFY, [CHANNEL, payload])
    } catch (error) {
      log.debug({ error }, 'a hint was not sent; the poll finds what it was about')
    }
  }

  function takePayload(): string {
    let payload = self
    for (const hint of waiting) {
      if (payload.length + hint.length + 1 > PAYLOAD_BYTES) break
      payload += `\n${hint}`
      waiting.delete(hint)
    }
    return payload
  }

  function receive(payload: string, heard: () => void) {
    const [sender, ...hints] = payload.split('\n')
    if (sender === `${self}?`) return heard()
    if (sender === self) return
    for (const hint of hints) {
      const space = hint.indexOf(' ')
      emitter.emit(hint.slice(0, space), hint.slice(space + 1))
    }
  }

  async function listenUntilDeaf(signal: AbortSignal) {
    const ear = connect(databaseUrl, { max: 1, name: 'baton hints' })
    let heardAt = performance.now()
    try {
      await ear.sql.listen(CHANNEL, (payload) => receive(payload, () => (heardAt = performance.now())))
      emitter.emit('resync')
      while (!signal.aborted && performance.now() - heardAt < PROBE_MS + PROBE_LIMIT_MS) {
        await connection.run(NOTIFY, [CHANNEL, `${self}?`])
        await wait(PROBE_MS, undefined, { signal })
      }
      if (!signal.aborted) log.warn('the LISTEN connection went deaf; it is replaced')
    } finally {
      await ear
        .close()
        .catch((error: unknown) => log.debug({ error }, 'closing the LISTEN connection failed'))
    }
  }

  async function listenForEver(signal: AbortSignal) {
    while (!signal.aborted) {
      try {
        await listenUntilDeaf(signal)
      } catch (error) {
        if (signal.aborted) return
        log.debug({ error }, 'the LISTEN connection failed; it is tried again')
        await wait(250 + Math.random() * 500, undefined, { signal }).catch(() => {})
      }
    }
  }

  return {
    send,
    sendBehind,
    sendHere: ({ kind, key }) => void emitter.emit(kind, key),
    on(kind, listener) {
      emitter.on(kind, listener)
      return () => emitter.off(kind, listener)
    },
    onResync(listener) {
      emitter.on('resync', listener)
      return () => emitter.off('resync', listener)
    },
    async start() {
      loop = listenForEver(stopping.signal)
    },
    async stop() {
      stopping.abort()
      await loop
      await flushing
    },
  }
}
