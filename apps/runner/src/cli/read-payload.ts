import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { BatonError } from '@baton/protocol'

/** What --payload or --payload-file give, as JSON; undefined when neither is there. */
export async function readPayload({
  payload,
  payloadFile,
}: {
  payload?: string
  payloadFile?: string
}): Promise<unknown> {
  const text =
    payload ?? (payloadFile === undefined ? undefined : await readInput('--payload-file', payloadFile))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BatonError('bad_input', `The payload is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** A file, or what comes on stdin for `-`. */
export async function readInput(flag: string, file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new BatonError('bad_input', `${flag} ${file}: ${(error as Error).message}`, { cause: error })
  }
}
