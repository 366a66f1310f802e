import {
  BatonError,
  type EncodedRunEvent,
  type MeView,
  type OverviewView,
  RELAY_PORT,
  type WhyView,
} from '@baton/protocol'
import {
  createSecrets,
  createSessions,
  createSkills,
  createUsage,
  type Secrets,
  type Sessions,
  type Skills,
  type Usage,
} from './agent-kit.ts'
import { type Agents, createAgents } from './agents.ts'
import { type Approvals, createApprovals } from './approvals.ts'
import { createCall } from './call.ts'
import { type Connection, connect, type Raw } from './connect.ts'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { createEvents, type Events } from './events.ts'
import { createGithub, type Github } from './github.ts'
import { createJobs, type Jobs } from './jobs.ts'
import { createMachines, type Machines } from './machines.ts'
import { createOrganization, type Organization } from './organization.ts'
import { createDispatches, createOutputs, type Dispatches, type Outputs } from './outputs.ts'
import { createRuns, type Runs } from './runs.ts'
import { createTokens, type Tokens } from './tokens.ts'
import { webhooks } from './webhooks.ts'

export type BatonOptions = {
  /** The relay's address. Default: BATON_URL, else http://127.0.0.1:4127. */
  url?: string
  /** An API token `bt_…`. Default: BATON_TOKEN. */
  token?: string
  /** Longest time for one call, its tries included. Default: 30 s. */
  timeoutMs?: number
  /** What calls, for the record beside a person's answers: the command line says `cli`. Default: `sdk`. */
  client?: 'cli' | 'sdk'
}

export type TranscriptPart = { fromSeq?: number; limit?: number; tail?: number }
export type TranscriptPage = { events: EncodedRunEvent[]; lastSeq: number; ended: boolean }

/** The typed client of a relay. It opens nothing until it is asked, and a script that is done exits by itself. */
export class Baton {
  readonly url: string
  readonly runs: Runs
  readonly jobs: Jobs
  readonly approvals: Approvals
  readonly agents: Agents
  readonly secrets: Secrets
  readonly skills: Skills
  readonly sessions: Sessions
  readonly usage: Usage
  readonly machines: Machines
  readonly events: Events
  readonly deliveries: Deliveries
  readonly outputs: Outputs
  readonly dispatches: Dispatches
  readonly github: Github
  readonly tokens: Tokens
  readonly organization: Organization
  readonly webhooks = webhooks
  static readonly webhooks = webhooks
  /** The bare tRPC client, for what has no method here. */
  readonly raw: Raw
  /** Why a run, delivery, machine, agent or job waits, and what unblocks it. */
  readonly why: (id: string) => Promise<WhyView>
  readonly me: () => Promise<MeView>
  /** A one-time link that signs a browser in as the owner of the token. */
  readonly createSignInLink: () => Promise<{ url: string; expiresAt: number }>
  readonly overview: () => Promise<OverviewView>
  /** Stored events of a run, encoded; `decodeRunEvent` reads them. `tail` asks for the last ones. */
  readonly transcript: (id: string, part?: TranscriptPart) => Promise<TranscriptPage>
  readonly #connection: Connection

  constructor({ url, token, timeoutMs = 30_000, client = 'sdk' }: BatonOptions = {}) {
    this.url = readUrl(url ?? process.env.BATON_URL ?? `http://127.0.0.1:${RELAY_PORT}`)
    this.#connection = connect({
      url: this.url,
      token: readToken(token ?? process.env.BATON_TOKEN),
      timeoutMs,
      client,
    })
    const { raw } = this.#connection
    const call = createCall(this.url)
    this.raw = raw
    this.runs = createRuns(raw, call, this.url)
    this.jobs = createJobs(raw, call, this.url)
    this.agents = createAgents(raw, call)
    this.secrets = createSecrets(raw, call)
    this.skills = createSkills(raw, call)
    this.sessions = createSessions(raw, call)
    this.usage = createUsage(raw, call)
    this.approvals = createApprovals(raw, call)
    this.machines = createMachines(raw, call)
    this.events = createEvents(raw, call, this.url)
    this.deliveries = createDeliveries(raw, call)
    this.outputs = createOutputs(raw, call)
    this.dispatches = createDispatches(raw, call)
    this.github = createGithub(raw, call)
    this.tokens = createTokens(raw, call)
    this.organization = createOrganization(raw, call)
    this.why = (id) => call(raw.why.explain.query({ id }))
    this.createSignInLink = () => call(raw.auth.createLink.mutate())
    this.me = () => call(raw.auth.me.query())
    this.transcript = (id, part = {}) => call(raw.runs.transcript.query({ id, ...part }))
    this.overview = () => call(raw.overview.get.query())
  }

  /** Ends every open iterator of events and closes the socket at once. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function readUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new BatonError(
      'bad_input',
      `"${url}" is no address of a relay. Set url or BATON_URL to one like https://relay.example.com.`,
    )
  }
  return url.replace(/\/+$/, '')
}

function readToken(token: string | undefined): string {
  if (token) return token
  throw new BatonError(
    'not_signed_in',
    'There is no API token. Make one with "baton token create" and set BATON_TOKEN or token to it.',
  )
}
