import { BatonError } from '@baton/protocol'
import { exchangeToken } from '../connection/exchange-token.ts'
import { version } from '../version.ts'
import { broken, type Check, ok, warning } from './doctor.ts'
import type { Session } from './session.ts'
import { clip, duration } from './text.ts'

const LOOK_WITHIN_MS = 5_000
const SKEW_LIMIT_MS = 60_000

/** From "something answers there" to "this key and this token are taken". What cannot work any more is not asked. */
export async function lookAtRelay(session: Session, url: string, key: string | null): Promise<Check[]> {
  const sentAt = Date.now()
  const answer = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(LOOK_WITHIN_MS) }).catch(
    (error: unknown) => error as Error,
  )
  if (answer instanceof Error) {
    return [
      broken(
        'relay',
        `${url} cannot be reached: ${reasonOf(answer)}.`,
        'Start it ("baton dev" on one laptop), or mend the address: BATON_URL or the profile.',
      ),
    ]
  }
  if (!answer.headers.get('content-type')?.startsWith('text/plain'))
    return [
      broken(
        'relay',
        `${url} answers ${answer.status}, but not as a Baton relay does.`,
        'Mend the address (BATON_URL or the profile), or what stands between here and the relay.',
      ),
    ]
  const ready = answer.ok
    ? ok('relay', `${url} answers in ${duration(Date.now() - sentAt)}`)
    : broken(
        'relay',
        `${url} answers ${answer.status}: ${clip(await answer.text(), 200)}`,
        "Look at the relay's log.",
      )
  const clock = lookAtClock(answer, sentAt)
  const rest = await Promise.all([lookAtSocket(url), lookAtKey(url, key), lookAtToken(session)])
  return [ready, ...clock, ...rest.flat()]
}

function reasonOf(error: Error): string {
  return (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.message
}

/** The Date header counts whole seconds. Leases go by the database's clock, so a wrong clock breaks only what is shown. */
function lookAtClock(answer: Response, sentAt: number): Check[] {
  const theirs = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return []
  const skew = Math.abs(theirs - (sentAt + Date.now()) / 2)
  if (skew < SKEW_LIMIT_MS)
    return [ok('clock', skew < 2_000 ? 'as the relay has it' : `${duration(skew)} from the relay's`)]
  return [
    warning(
      'clock',
      `${duration(skew)} from the relay's; signed webhooks from here will be refused.`,
      'Set the clock of this computer.',
    ),
  ]
}

/** Proxies that let HTTP through and WebSockets not are common; the runner then fetches over HTTP, more slowly. */
async function lookAtSocket(url: string): Promise<Check[]> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/trpc`)
  const opened = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), LOOK_WITHIN_MS)
    const end = (good: boolean) => {
      clearTimeout(timer)
      resolve(good)
    }
    socket.addEventListener('open', () => end(true))
    socket.addEventListener('error', () => end(false))
  })
  socket.close()
  if (opened) return [ok('websocket', 'opens')]
  return [
    warning(
      'websocket',
      'It cannot be opened.',
      'Let the proxy in between pass WebSockets; until then work is fetched over HTTP.',
    ),
  ]
}

async function lookAtKey(url: string, key: string | null): Promise<Check[]> {
  if (key === null) return []
  try {
    const { machineName } = await exchangeToken(url, key, new AbortController().signal)
    return [ok('machine key', `taken, as "${machineName}"`)]
  } catch (error) {
    if (!(error instanceof BatonError)) throw error
    return [
      broken(
        'machine key',
        error.message,
        'baton machine rotate-key, then: baton up --server <url> --key-stdin',
      ),
    ]
  }
}

async function lookAtToken(session: Session): Promise<Check[]> {
  try {
    const baton = await session.baton()
    const { user, organization, role, relayVersion } = await baton.me()
    return [ok('token', `${user.name}, ${role} of ${organization.name}`), lookAtVersions(relayVersion)]
  } catch (error) {
    if (!(error instanceof BatonError)) throw error
    const unblock = 'Make one on the dashboard or with "baton token create", and set BATON_TOKEN.'
    return [
      error.code === 'not_signed_in'
        ? warning('token', error.message, unblock)
        : broken('token', error.message, unblock),
    ]
  }
}

/** Relays and runners of neighbouring versions work together; what only the newer one knows does not. */
export function lookAtVersions(relay: string, own = version): Check {
  if (relay === own) return ok('version', own)
  return warning('version', `The relay is ${relay}, this is ${own}.`, 'Bring the older one up to date.')
}
