import { expect, test } from 'vitest'
import { anyMatches, hmacSha256 } from './hmac.ts'

test('RFC 4231, case 2: a short key', () => {
  const mac = hmacSha256('Jefe', 'what do ya want ', Buffer.from('for nothing?'))
  expect(mac.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
})

test('RFC 4231, case 6: a key longer than a block', () => {
  const mac = hmacSha256(Buffer.alloc(131, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First')
  expect(mac.toString('hex')).toBe('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')
})

test('a signature matches wherever its equal stands, and nothing matches nothing', () => {
  const [a, b, c] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer]
  expect(anyMatches([a, b], [b, c])).toBe(true)
  expect(anyMatches([b, a], [c, b])).toBe(true)
  expect(anyMatches([a], [b, c])).toBe(false)
  expect(anyMatches([], [])).toBe(false)
})
