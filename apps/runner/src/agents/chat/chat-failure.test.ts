import { expect, test } from 'vitest'
import { httpFailure } from './chat-failure.ts'

const now = Date.UTC(2026, 10, 20)
const failure = (status: number, headers: Record<string, string>, body: object | string = {}) =>
  httpFailure(status, new Headers(headers), typeof body === 'string' ? body : JSON.stringify(body), now)

test('a wait is read from each place where a service may say it', () => {
  expect(failure(429, { 'retry-after': '7' }).waitMs).toBe(7_000)
  expect(failure(503, { 'retry-after': new Date(now + 9_000).toUTCString() }).waitMs).toBe(9_000)
  const reset = String(now / 1_000 + 3_600)
  expect(failure(429, { 'anthropic-ratelimit-unified-reset': reset }).waitMs).toBe(3_600_000)
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }]
  expect(failure(429, {}, { error: { message: 'Quota.', details } }).waitMs).toBe(34_000)
  expect(failure(429, {}, { error: { message: 'Please try again in 20s.' } }).waitMs).toBe(20_000)
})

test('what passes is tried again: not a wrong key, a quota that is used up, or a wait that is too long', () => {
  const passing = (status: number, headers = {}, body = {}) => failure(status, headers, body).isPassing
  expect([500, 503, 529, 408, 429].map((status) => passing(status))).toEqual(Array(5).fill(true))
  expect([400, 401, 403, 404].map((status) => passing(status))).toEqual(Array(4).fill(false))
  expect(passing(429, { 'retry-after': '3600' })).toBe(false)
  expect(passing(429, {}, { error: { code: 'insufficient_quota' } })).toBe(false)
})

test('an answer that is no JSON is told as it stands', () => {
  expect(failure(502, {}, '<html>Bad gateway</html>').message).toBe('HTTP 502: <html>Bad gateway</html>')
})
