import { BatonError } from '@baton/protocol'
import { toApiError } from '@baton/sdk'
import { findRelayUrl } from './connection.ts'
import { readInput } from './read-payload.ts'
import type { Session } from './session.ts'

type Procedure = { query(input: unknown): Promise<unknown>; mutate(input: unknown): Promise<unknown> }

/** Any query or mutation. Which of the two it is, the relay says: a query by mistake changes nothing. */
export async function callProcedure(
  session: Session,
  [path = '']: string[],
  options: { field?: string[]; input?: string },
): Promise<void> {
  if (!/^[a-zA-Z]+(\.[a-zA-Z]+)+$/.test(path))
    throw new BatonError('bad_input', `"${path}" is no procedure: give its name, such as runs.list.`)
  const input = await inputOf(options)
  const baton = await session.baton()
  let at: unknown = baton.raw
  for (const name of path.split('.')) at = (at as Record<string, unknown>)[name]
  const procedure = at as Procedure
  const answer = await procedure
    .query(input)
    .catch((error: Error) => {
      if (/to mutation procedure/.test(error.message)) return procedure.mutate(input)
      throw error
    })
    .catch((error: unknown) => {
      throw toApiError(error, baton.url)
    })
  session.print(answer ?? null, () => JSON.stringify(answer ?? null, null, 2))
}

export async function printOpenApi(session: Session): Promise<void> {
  const url = `${await findRelayUrl(session.env, await session.paths())}/api/openapi.json`
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((cause: unknown) => {
    throw new BatonError('unavailable', `${url} cannot be reached. Is the relay running?`, { cause })
  })
  if (!response.ok) throw new BatonError('unavailable', `${url} answered ${response.status}.`)
  const document: unknown = await response.json()
  session.print(document, () => JSON.stringify(document, null, 2))
}

async function inputOf({ field = [], input }: { field?: string[]; input?: string }): Promise<object> {
  const whole = input === undefined ? {} : parseObject(await readInput('--input', input))
  const fields = field.map((text) => {
    const [, name, value] = /^([\w-]+)=(.*)$/s.exec(text) ?? []
    if (name === undefined) throw new BatonError('bad_input', `-f ${text}: give key=value.`)
    return [name, readValue(value ?? '')]
  })
  return { ...whole, ...Object.fromEntries(fields) }
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function parseObject(text: string): object {
  const value = readValue(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new BatonError('bad_input', '--input: it must hold one JSON object.')
}
