import { readFileSync } from 'node:fs'
import type { RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { acpDriver } from '../../src/agents/acp.ts'
import { initializeRequest } from '../../src/agents/acp-messages.ts'
import type { ReaderPosition } from '../../src/agents/runtime.ts'
import { version } from '../../src/version.ts'
import { type Recording, recordedDelivery } from './acp-recordings.ts'

const read = (cli: string) =>
  JSON.parse(readFileSync(new URL(`fixtures/acp-${cli}.json`, import.meta.url), 'utf8')) as Recording[]

/** Reads what the agent printed in chunks of some size, from a new reader after every chunk. */
function replay(recording: Recording, chunk: number) {
  const stdout = Buffer.from(recording.stdout)
  const context = { delivery: recordedDelivery(recording), policy: { commands: {} }, cwd: recording.cwd }
  let reader = acpDriver.createReader(context)
  const events: RunEventBody[] = []
  let stdin = initializeRequest(version)
  for (let at = 0; at < stdout.length; at += chunk) {
    const steps = reader.read({ stream: 'stdout', bytes: stdout.subarray(at, at + chunk), atMs: 0 })
    events.push(...steps.events)
    stdin += steps.stdin ?? ''
    const position = JSON.parse(JSON.stringify(reader.position())) as ReaderPosition
    reader = acpDriver.createReader(context, position)
    const unread = stdout.subarray(position.committed.stdout, at + chunk)
    events.push(...reader.read({ stream: 'stdout', bytes: unread, atMs: 0 }).events)
  }
  const exit = { exitCode: 0, signal: null, error: null, message: null }
  const { events: last, end } = reader.end(exit, { stopReason: null, changedFiles: null })
  return { events: [...events, ...last], end, stdin }
}

describe.each(['gemini', 'opencode'])('what %s said over the Agent Client Protocol', (cli) => {
  test.each(read(cli).map((recording) => [recording.name, recording] as const))(
    '(%s) is read the same whole and by a new reader after every piece, and answered the same',
    (_, recording) => {
      const whole = replay(recording, recording.stdout.length * 4)
      expect(whole.stdin).toBe(recording.stdin)
      expect(whole.end).toMatchObject({
        outcome: recording.outcome,
        errorKind: recording.errorKind,
        result: recording.result,
      })
      expect(whole.events.filter((event) => event.type === 'output')).toEqual([])
      for (const chunk of [7, 311, 4_096]) expect(replay(recording, chunk)).toEqual(whole)
    },
  )
})
