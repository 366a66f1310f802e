import {
  GITHUB_EVENTS,
  GITHUB_PERMISSIONS,
  type GithubCheck,
  type GithubPermissions,
  type GithubReconciliation,
} from '@baton/protocol'
import type { GithubCall } from './github-api.ts'
import type { KnownApp } from './known-apps.ts'
import { readFailure } from './read-failure.ts'

type AppAnswer = { permissions: GithubPermissions; events: string[] }
type HookAnswer = { url?: string; content_type?: string; insecure_ssl?: string | number }

/** What `doctor` says of one App: its key, what it may do, where GitHub sends, and whether everything arrives. */
export async function checkApp(
  call: GithubCall,
  app: KnownApp,
  publicUrl: string,
  nowMs: number,
): Promise<GithubCheck[]> {
  const checks: GithubCheck[] = []
  const add = (name: string, ok: boolean, what: string, unblock: string | null = null) =>
    checks.push({ name, ok, what, unblock: ok ? null : unblock })
  try {
    const { data } = await call<AppAnswer>('GET /app')
    add('key', true, 'GitHub accepts the private key.')
    checkGrants(data, app, add)
    checkHook((await call<HookAnswer>('GET /app/hook/config')).data, publicUrl, app, add)
  } catch (error) {
    const { why } = readFailure(error, nowMs)
    add(
      'key',
      false,
      why,
      'Look at the App on GitHub: does it exist, and is its key still listed there? Else connect it anew.',
    )
  }
  checkArrivals(app, nowMs, add)
  return checks
}

type Add = (name: string, ok: boolean, what: string, unblock?: string | null) => void

function checkGrants(data: AppAnswer, app: KnownApp, add: Add): void {
  const short = Object.entries(GITHUB_PERMISSIONS).filter(
    ([name, level]) => data.permissions[name] !== 'write' && data.permissions[name] !== level,
  )
  add(
    'permissions',
    short.length === 0,
    short.length === 0
      ? 'It has every permission that it needs.'
      : `It lacks ${short.map(([name, level]) => `${name}: ${level}`).join(', ')}.`,
    `Grant it under ${app.html_url.replace('/apps/', '/settings/apps/')}/permissions, then accept the change in each installation.`,
  )
  const missing = GITHUB_EVENTS.filter((name) => !data.events.includes(name))
  add(
    'events',
    missing.length === 0,
    missing.length === 0
      ? 'It gets every event that a trigger can listen to.'
      : `It does not get ${missing.join(', ')}.`,
    'Subscribe to them on the same page.',
  )
}

function checkHook(hook: HookAnswer, publicUrl: string, _app: KnownApp, add: Add): void {
  const wanted = `${publicUrl}/github/webhook`
  add(
    'address',
    hook.url === wanted,
    hook.url === wanted
      ? `GitHub sends to ${wanted}.`
      : `GitHub sends to ${hook.url || 'nowhere'} and not to ${wanted}.`,
    "Change the webhook URL in the App's settings, or BATON_PUBLIC_URL of the relay.",
  )
  add(
    'content type',
    hook.content_type === 'json',
    hook.content_type === 'json' ? 'GitHub sends JSON.' : `GitHub sends ${hook.content_type ?? 'forms'}.`,
    "Choose application/json in the App's webhook settings.",
  )
}

function checkArrivals({ last_delivery_at: last, reconciliation }: KnownApp, nowMs: number, add: Add): void {
  add(
    'deliveries',
    last !== null,
    last === null
      ? 'Nothing has arrived yet.'
      : `The last delivery arrived ${ago(nowMs - last.getTime())} ago.`,
    'Install the App on a repository and comment there. GitHub must be able to reach the address of this relay.',
  )
  add(
    'missed deliveries',
    isWell(reconciliation),
    sentenceOf(reconciliation, nowMs),
    'Ask for them now: baton integration github redeliver',
  )
}

const isWell = (one: GithubReconciliation | null) =>
  one === null || (one.error === null && one.missing === one.redelivered && one.givenUp === 0)

function sentenceOf(one: GithubReconciliation | null, nowMs: number): string {
  if (one === null) return 'They were not looked for yet.'
  const when = `${ago(nowMs - one.at)} ago`
  if (one.error !== null) return `They could not be looked for ${when}: ${one.error}`
  if (one.missing === 0) return `None: all ${one.listed} that GitHub listed ${when} are here.`
  const given = one.givenUp > 0 ? ` ${one.givenUp} were given up: each try of them was refused.` : ''
  return `${one.missing} of ${one.listed} were missing ${when}; GitHub was asked to send ${one.redelivered} again.${given}`
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
