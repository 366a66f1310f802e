import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { startTestReceiver } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowList } from './allow-list.ts'
import { createOutbound } from './outbound.ts'
import { isPublicAddress } from './public-address.ts'

const NOT_PUBLIC = [
  '10.254.0.0',
  '192.168.10.65',
  '172.16.10.65',
  '0.1.2.3',
  '0.0.0.0',
  '127.0.0.1',
  '127.254.254.254',
  '169.254.45.1',
  '169.254.169.254',
  '255.255.255.255',
  '224.1.2.3',
  '192.0.0.255',
  '192.0.2.255',
  '198.51.100.65',
  '203.0.113.6',
  '100.100.0.0',
  '192.88.99.3',
  '198.18.0.0',
  '240.240.240.240',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:0.0.0.1',
  '::127.0.0.1',
  'fe80::dead:beef',
  'febf:ffff::1',
  'fdee:3a45:9057::1',
  'fd7a:115c:a1e0::1',
  'fd00:ec2::254',
  '2001:db8::1',
  '3fff::1',
  '2002:c0a8:1::1',
  '2002:c000:204::1',
  '64:ff9b::c0a8:0',
  '64:ff9b:1::1',
  '100::1',
  '5f00::1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  'fe80::1%eth0',
  '',
  'localhost',
  '127.1',
]
const PUBLIC = ['1.1.1.1', '8.8.8.8', '2001:4860:4860::8888', '::ffff:8.8.8.8', '172.32.0.1', '100.128.0.1']

test.each(NOT_PUBLIC)('T-60: the address "%s" is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})
test.each(PUBLIC)('the address %s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

/** Counts every connection, whatever is said on it. */
let trap: Server
let trapPort = 0
let connections = 0
beforeAll(async () => {
  trap = createServer((socket) => {
    connections++
    socket.destroy()
  })
  trap.listen(0, '127.0.0.1')
  await once(trap, 'listening')
  trapPort = (trap.address() as AddressInfo).port
})
afterAll(async () => {
  trap.close()
  await once(trap, 'close')
})

const signal = () => AbortSignal.timeout(5_000)
const SPELLINGS = [
  'https://127.0.0.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://127.1/',
  'https://0177.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::]/',
  'https://0/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
  'https://10.0.0.1:8443/',
  'https://%31%32%37.0.0.1/',
  'https://１２７.0.0.1/',
  'https://100.100.100.200/',
]

test.each(SPELLINGS)(
  'T-60: %s is refused before anything is sent, when it is saved and when it is asked',
  async (url) => {
    const outbound = createOutbound(parseAllowList(''))
    expect(await outbound.check(url)).toContain('not on the public internet')
    expect(await outbound.request({ url, signal: signal() })).toMatchObject({ result: 'refused' })
  },
)

test.each([
  ['http://example.com/', 'Plain http'],
  ['https://example.com:22/', 'Port 22'],
  ['https://u:p@example.com/', 'user name or password'],
  ['https://token@example.com/', 'user name or password'],
  ['ftp://example.com/', 'is not spoken'],
  ['file:///etc/passwd', 'is not spoken'],
  ['gopher://127.0.0.1/', 'is not spoken'],
  ['no url', 'no URL'],
])('T-60: %s is refused: %s', async (url, why) => {
  const outbound = createOutbound(parseAllowList(''), async () => ['1.1.1.1'])
  expect(await outbound.check(url)).toContain(why)
  expect(await outbound.request({ url, signal: signal() })).toMatchObject({ result: 'refused' })
})

test('T-60: a name that leads to an internal address is refused, also when only one of its addresses does', async () => {
  for (const addresses of [['127.0.0.1'], ['1.1.1.1', '127.0.0.1'], ['::1'], ['::ffff:169.254.169.254']]) {
    const outbound = createOutbound(parseAllowList(''), async () => addresses)
    const answer = await outbound.request({ url: `https://rebind.example:8443/`, signal: signal() })
    expect(answer).toMatchObject({ result: 'refused' })
    expect(await outbound.openMail('mail.example', 587, signal())).toMatchObject({ result: 'refused' })
  }
  expect(connections).toBe(0)
})

test('T-60: a name that changes its address between two questions is asked once and reaches nothing else', async () => {
  let asked = 0
  // A documentation address that is listed and not reachable stands for the public one of the first answer.
  const resolve = async () => (asked++ === 0 ? ['192.0.2.1'] : ['127.0.0.1'])
  const outbound = createOutbound(parseAllowList('192.0.2.0/24'), resolve)
  const url = `https://rebind.example:${trapPort}/`
  const first = await outbound.request({ url, signal: AbortSignal.timeout(300) })
  expect(first.result).toBe('unreachable')
  expect(asked).toBe(1)
  const second = await outbound.request({ url, signal: signal() })
  expect(second.result).toBe('refused')
  expect(connections).toBe(0)
})

test('an administrator opens a range, a name or a name with a port, and nothing beside it', async () => {
  await using receiver = await startTestReceiver()
  const ask = (allow: string, url: string) =>
    createOutbound(parseAllowList(allow), async () => ['127.0.0.1']).request({
      url,
      body: '{}',
      signal: signal(),
    })
  const byName = `http://hooks.corp:${receiver.port}/x`
  expect((await ask('127.0.0.0/8', `${receiver.url}/x`)).result).toBe('response')
  expect((await ask('127.0.0.0/8', byName)).result).toBe('response')
  expect((await ask('hooks.corp', byName)).result).toBe('response')
  expect((await ask(`hooks.corp:${receiver.port}`, byName)).result).toBe('response')
  expect((await ask('hooks.corp:1', byName)).result).toBe('refused')
  expect((await ask('10.0.0.0/8, other.corp', byName)).result).toBe('refused')
  expect(receiver.received).toHaveLength(4)
  expect(receiver.received[0]?.headers.host).toBe(`127.0.0.1:${receiver.port}`)
})

test.each(['not/a/range', '10.0.0.0/40', 'http://x.example', '::1/200'])(
  'the list of an administrator with "%s" in it is refused by name',
  (entry) => {
    expect(() => parseAllowList(`10.0.0.0/8 ${entry}`)).toThrow('BATON_OUTBOUND_ALLOW')
  },
)

test('a redirect is answered as it is and not followed', async () => {
  await using receiver = await startTestReceiver()
  receiver.next({ status: 302, headers: { location: `http://127.0.0.1:${trapPort}/` } })
  const outbound = createOutbound(parseAllowList(`127.0.0.1:${receiver.port}`))
  const answer = await outbound.request({ url: receiver.url, signal: signal() })
  expect(answer).toMatchObject({ result: 'response', status: 302 })
  expect(connections).toBe(0)
})

test('a proxy of the environment is not asked', async () => {
  await using receiver = await startTestReceiver()
  const proxy = `http://127.0.0.1:${trapPort}`
  const before = { ...process.env }
  Object.assign(process.env, { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy })
  try {
    const outbound = createOutbound(parseAllowList('127.0.0.1'))
    expect((await outbound.request({ url: receiver.url, signal: signal() })).result).toBe('response')
  } finally {
    process.env = before
  }
  expect(connections).toBe(0)
})

test('an endless answer is read to its limit, and one that drips or never comes ends in time', async () => {
  await using receiver = await startTestReceiver()
  const outbound = createOutbound(parseAllowList('127.0.0.1'))
  receiver.next((_, response) => {
    const pour = () => {
      while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
    }
    response.writeHead(200).on('drain', pour)
    pour()
  })
  const endless = await outbound.request({ url: receiver.url, signal: signal() })
  expect(endless.result === 'response' && endless.body.length).toBe(50 * 1024)
  receiver.next('drip')
  const dripped = await outbound.request({ url: receiver.url, signal: AbortSignal.timeout(300) })
  expect(dripped).toMatchObject({ result: 'response', status: 200 })
  receiver.next('hang')
  const hung = await outbound.request({ url: receiver.url, signal: AbortSignal.timeout(300) })
  expect(hung).toMatchObject({ result: 'lost' })
})

test('what got the bytes and cut the connection is told from what was never reached', async () => {
  await using receiver = await startTestReceiver()
  const outbound = createOutbound(parseAllowList('127.0.0.1'))
  receiver.next('lose')
  expect(await outbound.request({ url: receiver.url, signal: signal() })).toMatchObject({ result: 'lost' })
  expect(await outbound.request({ url: 'http://127.0.0.1:1/', signal: signal() })).toMatchObject({
    result: 'unreachable',
    why: '127.0.0.1:1 cannot be reached: nothing listens there.',
  })
})
