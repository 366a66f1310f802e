import type { IncomingMessage } from 'node:http'
import type { Connection } from '@baton/db'
import type { Logger } from '@baton/service'
import type { WebSocket } from 'ws'
import type { RelayConfig } from '../config.ts'
import type { LeaseWrites } from '../deliveries/lease-writes.ts'
import type { Github } from '../github/create-github.ts'
import type { Metrics } from '../http/metrics.ts'
import type { HookTargets } from '../inbox/hook-targets.ts'
import type { Intake } from '../inbox/intake.ts'
import type { RefusedRequests } from '../inbox/refused-requests.ts'
import type { ChangeFeed } from '../live/change-feed.ts'
import type { Hints } from '../live/hints.ts'
import type { RunFeed } from '../live/run-feed.ts'
import type { Outbound } from '../outputs/outbound/outbound.ts'
import type { OutputSenders } from '../outputs/output-sender.ts'
import type { RunnerSessions } from '../runners/sessions.ts'
import type { Transcripts } from '../runs/transcripts.ts'
import type { RelayKeys } from '../secrets/keys.ts'
import type { Principal } from './principal.ts'

/** What procedures work with: the relay's parts, the same for every call. */
export type RelayParts = {
  config: RelayConfig
  connection: Connection
  keys: RelayKeys
  log: Logger
  hints: Hints
  sessions: RunnerSessions
  intake: Intake
  targets: HookTargets
  refused: RefusedRequests
  transcripts: Transcripts
  leases: LeaseWrites
  runFeed: RunFeed
  changes: ChangeFeed
  senders: OutputSenders
  outbound: Outbound
  github: Github
  metrics: Metrics
  now: () => number
  version: string
}

export type ApiContext = RelayParts & {
  principal: Principal
  requestId: string
  /** The socket of a WebSocket call, null over HTTP. */
  socket: WebSocket | null
  request: IncomingMessage
  setCookie: (value: string) => void
  /** A change is made only while the row that it is about is of this version; else it is answered as not found. */
  ifVersion?: string | undefined
}
