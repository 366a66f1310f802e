import { createHash, createHmac, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { pushPayload } from './push-payload.ts'

export type Hook = { path: string; secret: string }

/** Signed push webhooks as GitHub sends them, each with a body that was never sent before. */
export function signedWebhooks(count: number, { path, secret }: Hook): Buffer[] {
  const { before, after } = pushPayload()
  const run = randomUUID()
  return Array.from({ length: count }, (_, index) => {
    const commit = createHash('sha1').update(`${run} ${index}`).digest('hex')
    const body = Buffer.from(before + commit + after)
    const head = [
      `POST ${path} HTTP/1.1`,
      'host: 127.0.0.1',
      'user-agent: GitHub-Hookshot/044aadd',
      'accept: */*',
      'content-type: application/json',
      'x-github-event: push',
      `x-github-delivery: ${randomUUID()}`,
      'x-github-hook-id: 292430182',
      'x-github-hook-installation-target-id: 79929171',
      'x-github-hook-installation-target-type: repository',
      `x-hub-signature-256: sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      `content-length: ${body.length}`,
    ]
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
  })
}

export interface WebhookConnection extends AsyncDisposable {
  /** Sends one request and answers the whole response. One at a time. */
  send(request: Buffer): Promise<string>
}

/**
 * One kept-alive connection. An answer is small enough to come in one piece: parsing it as a client library does would
 * cost more than the server spends.
 */
export async function openWebhookConnection(port: number): Promise<WebhookConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  let answer = Promise.withResolvers<string>()
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.on('error', (error) => answer.reject(error))
  socket.on('close', () => answer.reject(new Error('The server closed the connection.')))
  socket.on('data', (chunk) => answer.resolve(chunk.toString('latin1')))
  return {
    send(request) {
      answer = Promise.withResolvers()
      socket.write(request)
      return answer.promise
    },
    [Symbol.asyncDispose]: async () => {
      answer.promise.catch(() => {})
      socket.end()
      await closed
    },
  }
}
