import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { OutboundRequest, OutboundResult } from './outbound.ts'

/** More of an answer is not read: it is shown to people, and nothing else. */
const ANSWER_BYTES = 50 * 1024

/** Says one request on an open socket, reads the answer and closes it. */
export async function exchange(plain: Socket, request: OutboundRequest): Promise<OutboundResult> {
  const url = new URL(request.url)
  const onAbort = () => plain.destroy(new Error('it took too long'))
  request.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const socket = url.protocol === 'https:' ? await secure(plain, url, request.signal) : plain
    if (!('remoteAddress' in socket)) return socket
    return await say(socket, url, request)
  } finally {
    request.signal.removeEventListener('abort', onAbort)
    plain.destroy()
  }
}

async function secure(plain: Socket, url: URL, signal: AbortSignal): Promise<Socket | OutboundResult> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const socket = connectTls({ socket: plain, host, ...(isIP(host) === 0 && { servername: host }) })
  try {
    await once(socket, 'secureConnect', { signal })
    return socket
  } catch (error) {
    socket.on('error', () => {}).destroy()
    const { code, message } = error as NodeJS.ErrnoException
    return {
      result: 'unreachable',
      why: `${host} did not prove who it is (TLS): ${code === 'ABORT_ERR' ? 'no answer in time' : message}.`,
    }
  }
}

async function say(socket: Socket, url: URL, request: OutboundRequest): Promise<OutboundResult> {
  const body = Buffer.from(request.body ?? '')
  const asked = httpRequest({
    createConnection: () => socket,
    method: request.method ?? 'POST',
    host: url.hostname,
    path: `${url.pathname}${url.search}`,
    headers: {
      ...request.headers,
      host: url.host,
      ...(body.length > 0 && { 'content-length': String(body.length) }),
      'user-agent': 'Baton',
      connection: 'close',
    },
  })
  // What breaks after the answer began is seen where its body is read; nobody else listens then.
  asked.on('error', () => {})
  try {
    asked.end(body)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    return {
      result: 'response',
      status: answer.statusCode ?? 0,
      headers: Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: await readStart(answer, request.answerBytes ?? ANSWER_BYTES),
    }
  } catch (error) {
    return { result: 'lost', why: `${url.host} got the request and gave no answer: ${reasonOf(error)}.` }
  } finally {
    asked.destroy()
  }
}

/** The start of a body; one that drips or breaks off gives what came. The answer's status stands all the same. */
async function readStart(answer: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= limit) break
    }
  } catch {
    // What came so far is all there is.
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8')
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || message === 'socket hang up' ? 'the connection was cut' : message
}
