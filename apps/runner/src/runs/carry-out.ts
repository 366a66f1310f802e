import type { RunReader } from '../agents/runtime.ts'
import type { Exit, GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import type { Transcript } from './transcript.ts'

/** A reader gets a chance to say what it holds back when nothing came for this long. */
const FLUSH_AFTER_MS = 100

/**
 * Reads an agent's output to its end, what is on disk first, and writes what it means into the transcript. Returns how
 * the agent ended. Rejects when the signal aborts, with the agent still running, or when the transcript cannot be written.
 */
export async function carryOut(
  supervised: SupervisedRun,
  reader: RunReader,
  transcript: Transcript,
  options: { onOutput(): void; signal: AbortSignal },
): Promise<Exit> {
  const { signal } = options
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  let timer: NodeJS.Timeout | null = null

  async function take(steps: ReturnType<RunReader['read']>, atMs: number) {
    await transcript.take(steps.events, reader, atMs)
    if (steps.stdin !== undefined) await supervised.write(steps.stdin)
    if (steps.closeStdin) await supervised.closeStdin()
    await supervised.consumed(transcript.committed())
  }

  function flush() {
    take(reader.flush(), Date.now()).catch(failed.reject)
  }

  function flushSoon() {
    if (timer) timer.refresh()
    else timer = setTimeout(flush, FLUSH_AFTER_MS)
  }

  async function readAll(): Promise<Exit> {
    await take(reader.flush(), Date.now())
    for await (const chunk of supervised.output(transcript.committed(), signal)) {
      options.onOutput()
      await take(reader.read(chunk), chunk.atMs)
      flushSoon()
    }
    signal.throwIfAborted()
    return await untilExit(supervised, signal)
  }

  try {
    return await Promise.race([readAll(), failed.promise])
  } finally {
    if (timer) clearTimeout(timer)
  }
}

/** The output that a run left behind whose supervisor is gone. */
export async function readLeftOutput(
  gone: GoneRun,
  reader: RunReader,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of gone.output(transcript.committed(), signal))
    await transcript.take(reader.read(chunk).events, reader, chunk.atMs)
  signal.throwIfAborted()
}

async function untilExit(supervised: SupervisedRun, signal: AbortSignal): Promise<Exit> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([supervised.exited, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
