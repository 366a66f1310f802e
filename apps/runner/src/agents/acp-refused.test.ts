import { expect, test } from 'vitest'
import { acpDriver } from './acp.ts'
import type { Exit } from './runtime.ts'

/** What `opencode acp --print-logs --log-level ERROR` of version 1.18.33 prints for a refused request. */
const refusal = (message: string) =>
  Buffer.from(
    `timestamp=2026-11-20T17:49:03.266Z level=ERROR run=8dcc6f1e message="stream error" providerID=standin modelID=stand-in session.id=ses_1 small=false agent=build mode=primary error.error="AI_APICallError: ${message}"\n`,
  )
const exit: Exit = { exitCode: null, signal: 'SIGTERM', error: null, message: null }

function readerOf() {
  const agent = { command: 'oc', permissionMode: 'edit' as const }
  const reader = acpDriver.createReader({ delivery: { agent, sessionId: null }, policy: { commands: {} } })
  return {
    end: (stopReason: 'timeout_silence' | null) => reader.end(exit, { stopReason, changedFiles: null }).end,
    refuse: (message: string) => reader.read({ stream: 'stderr', bytes: refusal(message), atMs: 1_000 }),
    answer: () =>
      reader.read({ stream: 'stdout', bytes: Buffer.from('{"jsonrpc":"2.0","method":"x"}\n'), atMs: 0 }),
  }
}

test('an agent whose account is used up, as its log says, is ended in the words of the service', () => {
  const { refuse, end } = readerOf()
  expect(refuse('You exceeded your current quota. Retry in 60s.').ended).toBe(true)
  expect(end(null)).toMatchObject({
    errorKind: 'quota',
    message: 'You exceeded your current quota. Retry in 60s.',
    quotaUntil: 61_000,
  })
})

test('an agent whose model fails five times in a row is ended; one that went on is not', () => {
  const { refuse, answer, end } = readerOf()
  for (let times = 0; times < 4; times++) expect(refuse('Overloaded').ended).toBeUndefined()
  answer()
  for (let times = 0; times < 4; times++) expect(refuse('Overloaded').ended).toBeUndefined()
  expect(refuse('Overloaded').ended).toBe(true)
  expect(end(null)).toMatchObject({ state: 'failed', errorKind: 'api_error' })
})

test('what the service said is why an agent was silent that waits to ask it again', () => {
  const waiting = readerOf()
  waiting.refuse('Rate limit reached')
  expect(waiting.end('timeout_silence')).toMatchObject({ errorKind: 'quota', message: 'Rate limit reached' })
  expect(readerOf().end('timeout_silence').errorKind).toBe('timeout_silence')
})
