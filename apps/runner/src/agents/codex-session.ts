import { createHash } from 'node:crypto'

/** Tokens of a whole Codex thread, all its runs together. */
export type ThreadTotals = { input: number; cached: number; output: number }

export const NO_TOTALS: ThreadTotals = { input: 0, cached: 0, output: 0 }

/** `before`: what the thread had used. `told`: the mark of the instructions that it knows, null when nobody can tell. */
export type CodexSession = { threadId: string; before: ThreadTotals; told: string | null }

/**
 * Codex counts the tokens of a thread, not of a run, and takes instructions only when a thread begins. So what a thread
 * had used and was told when a run ended stands behind its id in the run's session id, as
 * `<thread>~<input>.<cached>.<output>.<told>`, and the next run of the thread goes on from there.
 */
export function codexSessionId(
  threadId: string,
  { input, cached, output }: ThreadTotals,
  told: string,
): string {
  return `${threadId}~${input}.${cached}.${output}.${told}`
}

/** Null for a text that is no id of a Codex session. A bare thread id is one. */
export function parseCodexSession(text: string): CodexSession | null {
  const [, threadId, input, cached, output, told] = SESSION.exec(text) ?? []
  if (threadId === undefined) return null
  const before = { input: Number(input ?? 0), cached: Number(cached ?? 0), output: Number(output ?? 0) }
  return { threadId, before, told: told ?? null }
}

const SESSION =
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:~(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{1,8}))?$/i

/** A mark by which instructions are known again; `0` of none. */
export function markOf(instructions: string): string {
  const text = instructions.trim()
  return text === '' ? '0' : createHash('sha256').update(text).digest('hex').slice(0, 8)
}
