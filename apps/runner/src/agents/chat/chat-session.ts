import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fieldsOf, listOf, parseFields, textOf } from '../json-fields.ts'
import type { ChatTurn } from './chat-services.ts'

/** What is kept of a conversation: its newest turns up to here. */
const MOST_CHARACTERS = 600_000

/** The turns so far, or null when there is no such conversation. */
export async function readChatSession(file: string): Promise<ChatTurn[] | null> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null
    throw cause
  })
  if (text === null) return null
  return listOf(parseFields(text).turns).map((turn) => {
    const { role, text: said } = fieldsOf(turn)
    return { role: role === 'assistant' ? 'assistant' : 'user', text: textOf(said) ?? '' }
  })
}

/** Replaces the file as a whole, so that a run that is killed leaves the old or the new one. */
export async function writeChatSession(file: string, turns: readonly ChatTurn[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, JSON.stringify({ turns: newest(turns) }), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

function newest(turns: readonly ChatTurn[]): ChatTurn[] {
  let left = MOST_CHARACTERS
  const kept = turns.toReversed().filter((turn, at) => {
    left -= turn.text.length
    return at === 0 || left >= 0
  })
  return kept.toReversed()
}
