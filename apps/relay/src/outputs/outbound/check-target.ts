import { isIP } from 'node:net'
import type { AllowList } from './allow-list.ts'

/** Ports of the public internet that may be asked; what an administrator listed may use any. */
const HTTPS_PORTS = [443, 8443]
const MAIL_PORTS = [25, 465, 587, 2525]

/** Where a connection is to go. `unusual` says what about it needs an administrator's word; null: nothing. */
export type Target = { host: string; port: number; isNamed: boolean; unusual: string | null }

/**
 * What can be said about a URL without asking anybody: its scheme, its port, and its address if it is one (a URL turns
 * `0x7f.1` and `2130706433` into 127.0.0.1 by itself). Text: the sentence why it may not be asked.
 */
export function checkUrl(text: string, allow: AllowList): Target | string {
  const url = URL.parse(text)
  if (!url) return `"${text.slice(0, 200)}" is no URL.`
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return `${url.protocol} is not spoken here; use https.`
  }
  if (url.username !== '' || url.password !== '') {
    return 'The URL holds a user name or password. Take it out and use a header, which is stored encrypted.'
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const unusual =
    url.protocol === 'http:'
      ? 'Plain http is refused, because anybody on the way can read and change it.'
      : HTTPS_PORTS.includes(port)
        ? null
        : `Port ${port} is refused.`
  return checkHost(url.hostname.replace(/^\[|\]$/g, ''), port, unusual, allow)
}

/** The same for a mail server. */
export function checkMailServer(host: string, port: number, allow: AllowList): Target | string {
  const unusual = MAIL_PORTS.includes(port) ? null : `Port ${port} is refused for mail.`
  return checkHost(host, port, unusual, allow)
}

function checkHost(name: string, port: number, unusual: string | null, allow: AllowList): Target | string {
  const host = name.toLowerCase()
  const target = { host, port, isNamed: allow.isNamed(host, port), unusual }
  return (isIP(host) !== 0 && checkAddress(target, host, allow)) || target
}

/** The sentence why this address of a target may not be connected to; null: it may. */
export function checkAddress(target: Target, address: string, allow: AllowList): string | null {
  if (target.isNamed || allow.isListed(address)) return null
  const ask = 'The administrator of the relay can list it in BATON_OUTBOUND_ALLOW.'
  if (!allow.allowsAddress(address)) {
    const what = target.host === address ? address : `${target.host} (${address})`
    return `${what} is not on the public internet and is refused, so that nobody reaches internal services through the relay. ${ask}`
  }
  return target.unusual === null ? null : `${target.unusual} ${ask}`
}
