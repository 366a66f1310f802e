import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { BatonApiError } from './api-error.ts'
import { createCarefulFetch } from './careful-fetch.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server whose n-th request gets the n-th answer, and the last answer from then on. */
async function serve(...answers: Answer[]) {
  let requests = 0
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests, answers.length - 1)]
    requests++
    request.resume()
    answer?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const good: Answer = (_request, response) => response.end('good')
const busy: Answer = (_request, response) => response.writeHead(503, { 'retry-after': '0' }).end()
const cut: Answer = (request) => request.socket.destroy()
const silent: Answer = () => {}
const post = { method: 'POST', body: '{}' }

test('a busy relay is asked again, twice at most', async () => {
  await using server = await serve(busy, busy, good)
  const careful = createCarefulFetch({ timeoutMs: 5_000 })
  expect(await (await careful(server.url, post)).text()).toBe('good')
  expect(server.requests()).toBe(3)
  await using neverGood = await serve(busy)
  expect((await careful(neverGood.url)).status).toBe(503)
  expect(neverGood.requests()).toBe(3)
})

test('a relay that asks to wait longer than a call may take gets no second try', async () => {
  await using server = await serve((_request, response) =>
    response.writeHead(429, { 'retry-after': '3600' }).end(),
  )
  expect((await createCarefulFetch({ timeoutMs: 5_000 })(server.url)).status).toBe(429)
  expect(server.requests()).toBe(1)
})

test('a change whose connection was cut is repeated only with an idempotency key', async () => {
  const careful = createCarefulFetch({ timeoutMs: 5_000 })
  await using once = await serve(cut, good)
  await expect(careful(once.url, post)).rejects.toThrow()
  expect(once.requests()).toBe(1)
  await using twice = await serve(cut, good)
  const answer = await careful(twice.url, { ...post, headers: { 'idempotency-key': 'k' } })
  expect(await answer.text()).toBe('good')
})

test('a change that was answered 503 without a time to come back may have been made, so it is not repeated', async () => {
  await using server = await serve((_request, response) => response.writeHead(503).end(), good)
  expect((await createCarefulFetch({ timeoutMs: 5_000 })(server.url, post)).status).toBe(503)
  expect(server.requests()).toBe(1)
})

test('a read whose connection was cut is repeated', async () => {
  await using server = await serve(cut, good)
  expect(await (await createCarefulFetch({ timeoutMs: 5_000 })(server.url)).text()).toBe('good')
})

test('a relay that does not answer ends in a timeout that says so', async () => {
  await using server = await serve(silent)
  const failure = await createCarefulFetch({ timeoutMs: 100 })(server.url).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(BatonApiError)
  expect(failure).toMatchObject({ code: 'timeout', message: 'The relay did not answer within 0.1 s.' })
})
