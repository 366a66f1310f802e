import { type Connection, connect, sql } from '@baton/db'
import type { EventDetail, NewTriggerInput } from '@baton/protocol'
import {
  connectApi,
  connectWireRunner,
  startTestRelay,
  type TestRelay,
  type WireApi,
  type WireRunner,
} from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { afterAll, beforeAll } from 'vitest'

type Started = {
  relay: TestRelay
  api: WireApi
  /** The API as somebody of another organization has it. */
  foreign: WireApi
  runner: WireRunner
  connection: Connection
}

let count = 0

/** A number that nothing else in this file has. */
export const nextCount = () => ++count

/** A relay with a machine that speaks the wire, two agents on it, and another organization, for the tests of this file. */
export function withTriggers() {
  const place = {} as Started
  beforeAll(async () => {
    Object.assign(place, await start())
  }, 60_000)
  afterAll(async () => {
    await place.runner?.close()
    await place.connection?.close()
    await place.relay?.[Symbol.asyncDispose]()
  })
  return {
    place,
    makeJob: async (triggers: NewTriggerInput[], more: { prompt?: string; agent?: string } = {}) => {
      const key = `job-${nextCount()}`
      const made = await place.api.jobs.create.mutate({ key, agent: 'demo', prompt: 'go', triggers, ...more })
      const hook = made.secrets[0] ?? {
        url: '',
        secret: '',
        path: '',
        triggerId: '',
        scheme: 'none' as const,
      }
      return { ...made.job, key, hook }
    },
    eventOf: async (answer: { body: Record<string, unknown> }): Promise<EventDetail> =>
      place.api.events.get.query({ id: String(answer.body.eventId) }),
    /** Changes what stands in the database, where no API does. */
    change: (text: string) => sql.raw(text).execute(place.connection.db),
  }
}

async function start(): Promise<Started> {
  const relay = await startTestRelay()
  const made = await relay.setup<{ token: string; machineKey: string }>({
    machineName: 'laptop',
    wantToken: true,
    wantMachineKey: true,
    agents: [
      { key: 'demo', runtime: 'command', command: 'demo' },
      { key: 'claude', runtime: 'claude' },
    ],
  })
  const other = await relay.setup<{ token: string }>({
    organization: 'other',
    userName: 'Eve',
    wantToken: true,
  })
  const client = (token: string) => connectApi(relay.url, token)
  return {
    relay,
    api: client(made.token),
    foreign: client(other.token),
    runner: await connectWireRunner(relay.url, made.machineKey),
    connection: connect(relay.databaseUrl, { max: 1 }),
  }
}

/** Sends a webhook as it is. */
export async function post(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** The headers with which a webhook of this address is signed. */
export const sign = (
  hook: { scheme: string; secret: string },
  body: string,
  more: { id?: string | null; at?: number } = {},
) =>
  signRequest({
    scheme: hook.scheme as 'standard',
    secret: hook.secret,
    id: more.id === undefined ? `id-${nextCount()}` : more.id,
    timestampMs: more.at ?? Date.now(),
    body,
  })
