import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BatonError, type JobView } from '@baton/protocol'
import type { FollowedEvent } from '@baton/sdk'
import { webhooks } from '@baton/sdk'
import { makePrivateFolder } from '../config/private-file.ts'
import { replaceFile } from '../journal/open-record-file.ts'
import { onInterrupt } from './on-interrupt.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

type ListenOptions = { forwardTo: string; signWith?: string; fromStart?: boolean; timeout: string }

/**
 * Streams a job's events to a server on this computer. The cursor is kept, so that what comes while nobody listens is
 * forwarded at the next start; an event counts as forwarded when the server has answered, whatever it answered.
 */
export async function listenToHook(
  session: Session,
  [id = '']: string[],
  options: ListenOptions,
): Promise<number> {
  const url = readUrl(options.forwardTo)
  const baton = await session.baton()
  const job = await findJob(await baton.jobs.list(), id)
  const folder = join((await session.paths()).stateFolder, 'hook-listen')
  const file = join(folder, `${job.id}.json`)
  await makePrivateFolder(folder)
  const { cursor, done } = await readCursor(file)
  const forwarded = new Set(done)
  const stopping = new AbortController()
  const stop = stopping.signal
  using _interrupt = onInterrupt(() => stopping.abort())
  session.note(
    `Forwarding events of ${printable(job.key)} to ${url.href}${cursor ? ', from where it stopped' : ''}. Ctrl-C ends it.`,
  )
  const secret = options.signWith === undefined ? null : readSecret(session, options.signWith)
  const scheme = job.triggers.find((one) => one.kind === 'webhook')?.scheme ?? 'baton'
  try {
    for await (const event of baton.events.follow(job.id, {
      signal: stop,
      ...(cursor && { lastEventId: cursor }),
    })) {
      if (forwarded.has(event.id)) continue
      const answer = await forward(url, event, {
        timeoutMs: Number(options.timeout) * 1_000,
        sign: secret === null || scheme === 'none' ? null : (body) => webhooks.sign(body, secret, scheme),
        signal: stop,
      })
      if (stop.aborted) break
      forwarded.add(event.id)
      await writeCursor(file, event.id, [...forwarded].slice(-500))
      session.print({ id: event.id, receivedAt: event.receivedAt, ...answer }, () =>
        `${event.id}  ${event.source}  ${answer.status ?? '✕'}  ${printable(answer.error ?? '')}`.trimEnd(),
      )
    }
  } catch (error) {
    if (!stop.aborted) throw error
  }
  return 0
}

/** A job's key or id, or the end of one of its addresses. */
async function findJob(jobs: JobView[], id: string): Promise<JobView> {
  const path = id.replace(/^.*\/hooks\//, '')
  const job = jobs.find(
    (one) =>
      one.id === id ||
      one.key === id ||
      one.triggers.some((trigger) => trigger.kind === 'webhook' && trigger.path === path),
  )
  if (!job)
    throw new BatonError('not_found', `There is no job or address "${id}". "baton job list" shows them.`)
  return job
}

function readUrl(text: string): URL {
  const url = URL.parse(/^\d+$/.test(text) ? `http://127.0.0.1:${text}/` : text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new BatonError(
    'bad_input',
    `--forward-to ${text}: give an address such as http://localhost:3000/hook, or a port.`,
  )
}

function readSecret(session: Session, name: string): string {
  const secret = session.env[name]
  if (!secret) throw new BatonError('bad_input', `--sign-with ${name}: this environment variable is not set.`)
  return secret
}

async function forward(
  url: URL,
  event: FollowedEvent,
  options: {
    timeoutMs: number
    sign: ((body: Buffer) => Record<string, string>) | null
    signal: AbortSignal
  },
): Promise<{ status: number | null; error: string | null }> {
  const body = Buffer.from(event.body, event.bodyEncoding === 'base64' ? 'base64' : 'utf8')
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]),
      headers: {
        ...event.headers,
        ...(event.contentType ? { 'content-type': event.contentType } : {}),
        'x-baton-event': event.id,
        ...options.sign?.(body),
      },
    })
    await response.body?.cancel()
    return { status: response.status, error: null }
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { message?: string } }
    return { status: null, error: cause?.message || message }
  }
}

async function readCursor(file: string): Promise<{ cursor: string | null; done: string[] }> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { cursor: string; done: string[] }
  } catch {
    return { cursor: null, done: [] }
  }
}

async function writeCursor(file: string, cursor: string, done: string[]): Promise<void> {
  const newest = [cursor, ...done].toSorted().at(-1) ?? cursor
  const opened = await replaceFile(file, Buffer.from(JSON.stringify({ cursor: newest, done })))
  await opened.close()
}
