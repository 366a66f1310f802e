import { BatonError, RELAY_PORT } from '@baton/protocol'
import { parseAllowList } from './outputs/outbound/allow-list.ts'
import { type MailServer, parseMailServer } from './outputs/senders/mail-server.ts'

const HOOK_RATE = 500

export type RelayConfig = {
  databaseUrl: string
  secret: string
  host: string
  port: number
  /** Scheme, host and port under which people and runners reach this relay; no path. */
  publicUrl: string
  dashboardDir: string | null
  logLevel: string
  /** Requests a second that one webhook address takes before it answers 429; 0 for no limit. */
  hookRate: number
  /** What outputs may reach beyond the public internet (outputs/outbound/allow-list.ts). */
  outboundAllow: string
  /** The mail server for outputs that name none. */
  mailServer: MailServer | null
  /** Requests of REST that one token may make in a minute. */
  apiRate: number
  exitWithParent: boolean
}

/** Twenty a second, on average: far more than polling needs. */
const API_RATE = 1_200

/** Reads the relay's settings. Throws one error that lists every problem with what to do about it. */
export function parseRelayConfig(given: NodeJS.ProcessEnv, dashboardDir: string | null): RelayConfig {
  // Compose files and the like set what nobody gave a value to nothing.
  const env = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  const problems: string[] = []
  const databaseUrl = env.DATABASE_URL ?? ''
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    problems.push(
      'DATABASE_URL is missing or no postgres:// URL; set it to the database that keeps everything.',
    )
  }
  const secret = env.BATON_SECRET ?? ''
  if (secret.length < 32) {
    problems.push(
      'BATON_SECRET is missing or shorter than 32 characters; make one with: openssl rand -base64 32',
    )
  }
  const port = Number(env.BATON_PORT ?? RELAY_PORT)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    problems.push(`BATON_PORT is "${env.BATON_PORT}"; set it to a port number from 0 to 65535.`)
  }
  const host = env.BATON_HOST ?? '127.0.0.1'
  const publicUrl = originOf(env.BATON_PUBLIC_URL ?? `http://127.0.0.1:${port}`)
  if (publicUrl === null) {
    problems.push(
      `BATON_PUBLIC_URL is "${env.BATON_PUBLIC_URL}"; set it to something like https://baton.example.com`,
    )
  }
  const hookRate = Number(env.BATON_HOOK_RATE ?? HOOK_RATE)
  if (!Number.isInteger(hookRate) || hookRate < 0) {
    problems.push(
      `BATON_HOOK_RATE is "${env.BATON_HOOK_RATE}"; set it to requests a second for one webhook address, or 0 for no limit.`,
    )
  }
  const outboundAllow = env.BATON_OUTBOUND_ALLOW ?? ''
  collect(problems, () => parseAllowList(outboundAllow))
  const mailServer = collect(problems, () => parseMailServer(env.BATON_SMTP_URL, env.BATON_MAIL_FROM)) ?? null
  const apiRate = Number(env.BATON_API_RATE ?? API_RATE)
  if (!Number.isInteger(apiRate) || apiRate < 1) {
    problems.push(
      `BATON_API_RATE is "${env.BATON_API_RATE}"; set it to the requests a minute of one token, 1 or more.`,
    )
  }
  if (problems.length > 0 || publicUrl === null) throw new BatonError('bad_input', problems.join('\n'))
  return {
    databaseUrl,
    secret,
    host,
    port,
    publicUrl,
    dashboardDir: env.BATON_DASHBOARD_DIR ?? dashboardDir,
    logLevel: env.BATON_LOG_LEVEL ?? 'info',
    hookRate,
    outboundAllow,
    mailServer,
    apiRate,
    exitWithParent: env.BATON_EXIT_WITH_PARENT === '1',
  }
}

/** The value, or its problem in the list. */
function collect<T>(problems: string[], parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    problems.push((error as Error).message)
    return undefined
  }
}

function originOf(text: string): string | null {
  const url = URL.parse(text)
  return url && (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/'
    ? url.origin
    : null
}
