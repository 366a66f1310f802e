import { setTimeout as sleep } from 'node:timers/promises'
import type { PipeReader } from './agent-pipes.ts'
import { createSegmentWriter } from './segment-writer.ts'
import type { Offsets, StreamName } from './supervised-run.ts'

export const UNCONSUMED_LIMIT_BYTES = 64 * 1024 * 1024

export type OutputCustody = {
  written(): Offsets
  consumed(at: Offsets): void
  /** Reads on whatever is unconsumed, because the agent is ending: it may have to write before it goes. */
  letFlow(): void
  /** Resolves when both streams ended or the time is over. */
  ended(withinMs: number): Promise<void>
  /** Cuts whoever still holds a pipe. */
  close(): void
}

/**
 * Takes the agent's output from its pipes into segments. While more than the limit is not consumed the pipes are not
 * read, so the agent waits. A failing disk is told once; from then on output is read and dropped.
 */
export function createOutputCustody(
  runFolder: string,
  readers: Record<StreamName, PipeReader>,
  limitBytes = UNCONSUMED_LIMIT_BYTES,
  onFailure: (error: unknown) => void,
): OutputCustody {
  const streams = (['stdout', 'stderr'] as const).map((name) => ({
    name,
    reader: readers[name],
    writer: createSegmentWriter(runFolder, name),
    consumed: 0,
  }))
  let limit = limitBytes
  let failed = false

  const unconsumed = () => streams.reduce((sum, one) => sum + one.writer.written - one.consumed, 0)

  function regulate(): void {
    const paused = !failed && unconsumed() > limit
    for (const { reader } of streams) reader.setPaused(paused)
  }

  function keep(one: (typeof streams)[number], bytes: Buffer): void {
    if (failed) return
    try {
      one.writer.write(bytes)
    } catch (error) {
      failed = true
      onFailure(error)
    }
    regulate()
  }

  for (const one of streams) one.reader.read((bytes) => keep(one, bytes))
  const ends = streams.map((one) => one.reader.ended)

  return {
    written: () => ({ stdout: streams[0]?.writer.written ?? 0, stderr: streams[1]?.writer.written ?? 0 }),
    consumed(at) {
      for (const one of streams) {
        one.consumed = Math.max(one.consumed, at[one.name])
        one.writer.forget(one.consumed)
      }
      regulate()
    },
    letFlow() {
      limit = unconsumed() + limitBytes
      regulate()
    },
    async ended(withinMs) {
      const waiting = new AbortController()
      const timer = sleep(withinMs, null, { signal: waiting.signal }).catch(() => {})
      await Promise.race([Promise.all(ends), timer])
      waiting.abort()
    },
    close() {
      for (const { reader, writer } of streams) {
        reader.close()
        writer.close()
      }
    },
  }
}
