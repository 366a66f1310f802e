import { BatonError } from '@baton/protocol'
import { createAddressList, isPublicAddress } from './public-address.ts'

/**
 * What an administrator opens beyond the public internet over https (BATON_OUTBOUND_ALLOW): addresses and ranges
 * (`10.1.0.0/16`), and names with or without a port (`hooks.corp.example`, `localhost:8080`). A name that is listed may
 * be any address, any port unless one is named, and plain http.
 */
export type AllowList = {
  /** The administrator named this host. */
  isNamed(host: string, port: number): boolean
  allowsAddress(address: string): boolean
  /** Plain http and other ports than the usual ones are allowed to this listed address. */
  isListed(address: string): boolean
}

/** Throws `bad_input` that names the first entry which is neither a range nor a name. */
export function parseAllowList(text: string): AllowList {
  const entries = text
    .split(/[\s,]+/)
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
  const names = new Set<string>()
  const ranges: string[] = []
  for (const entry of entries) {
    if (/^[0-9.]+(\/\d+)?$/.test(entry) || /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(\/\d+)?$/.test(entry))
      ranges.push(entry)
    else if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(entry)) names.add(entry)
    else
      throw new BatonError(
        'bad_input',
        `"${entry}" in BATON_OUTBOUND_ALLOW is neither a range like 10.0.0.0/8 nor a name.`,
      )
  }
  const listed = listOf(ranges)
  return {
    isNamed: (host, port) => names.has(host) || names.has(`${host}:${port}`),
    allowsAddress: (address) => isPublicAddress(address) || listed.has(address),
    isListed: (address) => listed.has(address),
  }
}

function listOf(ranges: string[]) {
  try {
    return createAddressList(ranges)
  } catch (cause) {
    throw new BatonError('bad_input', `BATON_OUTBOUND_ALLOW: ${(cause as Error).message}`, { cause })
  }
}
