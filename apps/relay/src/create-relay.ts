import { connect, explainForgotten } from '@baton/db'
import { createLogger, inOrder, type Logger, type Service } from '@baton/service'
import type { RelayParts } from './api/context.ts'
import type { RelayConfig } from './config.ts'
import { createDatabaseClock } from './database-clock.ts'
import { createBacklog } from './deliveries/backlog.ts'
import { createLeaseWrites } from './deliveries/lease-writes.ts'
import { createSweeper } from './deliveries/sweeper.ts'
import { createGithub } from './github/create-github.ts'
import { createHttpServer } from './http/http-server.ts'
import { createMetrics } from './http/metrics.ts'
import { createHookTargets } from './inbox/hook-targets.ts'
import { createIntake } from './inbox/intake.ts'
import { createRefusedRequests } from './inbox/refused-requests.ts'
import { createChangeFeed } from './live/change-feed.ts'
import { createHints } from './live/hints.ts'
import { createRunFeed } from './live/run-feed.ts'
import { createDispatcher } from './outputs/dispatcher.ts'
import { parseAllowList } from './outputs/outbound/allow-list.ts'
import { createOutbound } from './outputs/outbound/outbound.ts'
import { createOutputSenders } from './outputs/output-sender.ts'
import { createEmailSender } from './outputs/senders/email-sender.ts'
import { logSender } from './outputs/senders/log-sender.ts'
import { slackSender } from './outputs/senders/slack-sender.ts'
import { webhookSender } from './outputs/senders/webhook-sender.ts'
import { createRetention } from './retention/retention.ts'
import { createRunnerSessions } from './runners/sessions.ts'
import { createTranscripts } from './runs/transcripts.ts'
import { createScheduler } from './schedules/scheduler.ts'
import { deriveKeys } from './secrets/keys.ts'
import { RELAY_VERSION } from './version.ts'

export type Relay = Service & { url(): string; config: RelayConfig }

/** Connections to the database besides the intake's. */
const CONNECTIONS = 6
/** Of one connection each, for the intake alone. */
const WRITERS = 2

/** Everything that the relay owns, in start order. The schema must be up to date (`migrate`). */
export function createRelay(given: RelayConfig, options: { log?: Logger; now?: () => number } = {}): Relay {
  const config = { ...given }
  const log = options.log ?? createLogger({ name: 'relay', level: config.logLevel })
  const connection = connect(config.databaseUrl, { max: CONNECTIONS, name: 'baton relay' })
  const keys = deriveKeys(config.secret)
  const hints = createHints(config.databaseUrl, connection, log)
  const sessions = createRunnerSessions(connection.db, hints, log)
  const backlog = createBacklog(connection.db)
  const writers = Array.from({ length: WRITERS }, () =>
    connect(config.databaseUrl, { max: 1, name: 'baton intake' }),
  )
  const intake = createIntake({ db: connection.db, writers }, sessions, hints, backlog)
  const targets = createHookTargets(connection.db, keys.seal, {
    onError: (error) =>
      log.debug({ error }, 'webhook addresses were not read again; each is read when it is used'),
  })
  const transcripts = createTranscripts(connection.db, hints)
  const leases = createLeaseWrites(connection.db)
  const runFeed = createRunFeed(connection.db, transcripts, hints)
  const changes = createChangeFeed(hints)
  const outbound = createOutbound(parseAllowList(config.outboundAllow))
  const senders = createOutputSenders()
  senders.register(logSender)
  senders.register(slackSender)
  senders.register(webhookSender)
  senders.register(createEmailSender(config.mailServer))
  const clock = createDatabaseClock(connection, log)
  const now = options.now ?? (() => clock.now())
  const github = createGithub({
    db: connection.db,
    keys,
    outbound,
    senders,
    intake,
    backlog,
    changes,
    log,
    now,
    wakeDispatcher: () => dispatcher.wake(),
  })
  const parts: RelayParts = {
    config,
    connection,
    keys,
    log,
    hints,
    sessions,
    intake,
    targets,
    refused: createRefusedRequests(now),
    transcripts,
    leases,
    runFeed,
    changes,
    senders,
    outbound,
    github,
    metrics: createMetrics(),
    now,
    version: RELAY_VERSION,
  }
  const dispatcher = createDispatcher(parts)
  const stopHearing = hints.on('config', () => {
    targets.forget()
    backlog.forget()
    github.wake()
  })
  const retention = createRetention(parts)
  const server = createHttpServer({ ...parts, deleted: () => retention.counts() })

  const services = inOrder([
    onStop(async () => {
      await Promise.all([connection, ...writers].map((pool) => pool.close()))
    }),
    clock,
    hints,
    targets,
    onStop(async () => {
      stopHearing()
      runFeed.stop()
      await Promise.all([intake.stop(), transcripts.stop(), leases.stop()])
    }),
    sessions,
    createSweeper(parts),
    dispatcher,
    github,
    createScheduler(parts),
    retention,
    server,
  ])
  return {
    config,
    url: () => config.publicUrl,
    async start() {
      await services.start()
      if (given.port === 0) config.publicUrl = `http://127.0.0.1:${server.port()}`
      config.port = server.port()
      explainForgotten(connection.db).catch((error: unknown) =>
        log.warn(
          { error },
          'events whose explanation was lost in a crash were not looked for; the next start does',
        ),
      )
    },
    stop: () => services.stop(),
  }
}

/** A part that works from its making on and only has to be ended. */
function onStop(stop: () => Promise<void>): Service {
  let stopped: Promise<void> | null = null
  return { start: async () => {}, stop: () => (stopped ??= stop()) }
}
