import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * Everything that is not the public internet: this host, private networks, link-local (where clouds keep their
 * credentials), shared space, documentation, multicast, and the IPv6 ranges that carry an IPv4 address inside. After the
 * lists of the IANA registries and Svix's `is_allowed`.
 */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
const NOT_PUBLIC_6 = [
  // Unspecified, loopback and the IPv4-compatible ones.
  '::/96',
  // NAT64, also the locally used kind; discard-only; 6to4; Teredo and the other protocol assignments.
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

/** Addresses as `10.0.0.0/8`, `::1` or `192.168.1.7`. Throws a RangeError naming the first that is none. */
export function createAddressList(ranges: readonly string[]): { has(address: string): boolean } {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    const family = isIP(network)
    const width = family === 4 ? 32 : 128
    const prefix = bits === undefined ? width : Number(bits)
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > width) {
      throw new RangeError(`"${range}" is no address and no range like 10.0.0.0/8.`)
    }
    list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    has(address) {
      const plain = unmapped(address)
      const family = isIP(plain)
      return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

const notPublic4 = createAddressList(NOT_PUBLIC_4)
const notPublic6 = createAddressList(NOT_PUBLIC_6)

/** False also for text that is no address at all: what cannot be read is not asked. */
export function isPublicAddress(address: string): boolean {
  const plain = unmapped(address)
  const family = isIP(plain)
  if (family === 4) return !notPublic4.has(plain)
  return family === 6 && !notPublic6.has(plain)
}

/** An IPv4 address that is written as an IPv6 one (`::ffff:127.0.0.1`, `::ffff:7f00:1`), and without a zone. */
function unmapped(address: string): string {
  const [bare = ''] = address.split('%')
  if (isIPv4(bare) || isIP(bare) === 0) return bare
  const normal = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(normal)
  if (!mapped) return normal
  const [high, low] = [parseInt(mapped[1] ?? '', 16), parseInt(mapped[2] ?? '', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** This computer itself: nobody is on the way. */
export function isLoopback(address: string): boolean {
  const plain = unmapped(address)
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}
