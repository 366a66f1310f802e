import type { ServerResponse } from 'node:http'
import { type Db, sql } from '@baton/db'

const READY_WITHIN_MS = 2_000

/** `/livez`: this process answers. */
export function answerLive(response: ServerResponse): void {
  sendText(response, 200, 'ok\n')
}

/** `/readyz`: it can also store something: the database answers within two seconds. */
export async function answerReady(response: ServerResponse, db: Db): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error('The database did not answer in time.')),
    READY_WITHIN_MS,
  )
  try {
    await Promise.race([sql`select 1`.execute(db), late.promise])
    sendText(response, 200, 'ready\n')
  } catch {
    sendText(response, 503, 'the database does not answer\n')
  } finally {
    clearTimeout(timer)
  }
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
) {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
