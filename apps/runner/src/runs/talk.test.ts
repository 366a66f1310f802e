import { type RunControl, toId } from '@baton/protocol'
import { expect, test } from 'vitest'
import type { RunReader } from '../agents/runtime.ts'
import { actionHash } from './action-hash.ts'
import { createTalk } from './talk.ts'
import type { Transcript } from './transcript.ts'

const CWD = '/work'
const UUID = '00000000-0000-7000-8000-000000000000'

test('an answer that cannot be stored ends the run instead of leaving its agent to wait for ever', async () => {
  let isFull = false
  const transcript = {
    memo: () => ({ talk: null }),
    committed: () => ({ stdout: 0, stderr: 0 }),
    take: async () => {
      if (isFull) throw new Error('no space left on device')
    },
  } as unknown as Transcript
  const failures: unknown[] = []
  const talk = createTalk({
    rules: { mode: 'ask', expiresMs: 60_000, allow: [] },
    cwd: CWD,
    reader: { answer: () => ({ events: [], stdin: 'yes\n' }) } as unknown as RunReader,
    transcript,
    supervised: {
      write: async () => undefined,
      closeStdin: async () => undefined,
      consumed: async () => undefined,
      stop: async () => undefined,
    },
    onError: (error) => failures.push(error),
  })
  const question = { tool: 'Bash', input: { command: 'ls' } }
  await talk.take({ events: [], asks: [{ ask: '1', summary: 'ls', ...question }] }, 0)
  isFull = true
  const answer: RunControl = {
    id: toId('control', UUID),
    deliveryId: toId('delivery', UUID),
    runId: toId('run', UUID),
    fence: 1,
    by: 'Ada',
    kind: 'answer',
    ask: '1',
    actionHash: actionHash({ ...question, cwd: CWD }),
    decision: 'allow',
    scope: 'once',
    pattern: null,
    message: null,
  }
  await expect(talk.control(answer)).rejects.toThrow('no space left')
  expect(failures).toHaveLength(1)
  talk.stop()
})
