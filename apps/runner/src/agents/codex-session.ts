/** Tokens of a whole Codex thread, all its runs together. */
export type ThreadTotals = { input: number; cached: number; output: number }

export const NO_TOTALS: ThreadTotals = { input: 0, cached: 0, output: 0 }

/**
 * Codex counts the tokens of a thread, not of a run. So what a thread had used when a run ended stands behind its id in
 * the run's session id, as `<thread>~<input>.<cached>.<output>`, and the next run of the thread subtracts it.
 */
export function codexSessionId(threadId: string, { input, cached, output }: ThreadTotals): string {
  return `${threadId}~${input}.${cached}.${output}`
}

/** The thread and what it had used; null for a text that is no id of a Codex session. A bare thread id is one. */
export function parseCodexSession(text: string): { threadId: string; before: ThreadTotals } | null {
  const [, threadId, input, cached, output] = SESSION.exec(text) ?? []
  if (threadId === undefined) return null
  return {
    threadId,
    before: { input: Number(input ?? 0), cached: Number(cached ?? 0), output: Number(output ?? 0) },
  }
}

const SESSION = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:~(\d{1,15})\.(\d{1,15})\.(\d{1,15}))?$/i
