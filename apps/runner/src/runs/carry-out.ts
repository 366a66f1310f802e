import type { RunEventBody } from '@baton/protocol'
import type { RunReader, StreamName } from '../agents/runtime.ts'
import type { Exit, GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import type { Talk } from './talk.ts'
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
  options: { onOutput(): void; talk: Talk; failed: PromiseWithResolvers<never>; signal: AbortSignal },
): Promise<Exit> {
  const { signal, talk, failed } = options
  let timer: NodeJS.Timeout | null = null

  function flush() {
    const steps = reader.flush()
    if (steps.events.some(isProgress)) options.onOutput()
    talk.take(steps, Date.now()).catch(failed.reject)
  }

  function flushSoon() {
    if (timer) timer.refresh()
    else timer = setTimeout(flush, FLUSH_AFTER_MS)
  }

  async function readAll(): Promise<Exit> {
    await talk.resume()
    await talk.take(reader.flush(), Date.now())
    for await (const chunk of supervised.output(transcript.committed(), signal)) {
      const steps = reader.read(chunk)
      if (showsProgress(chunk.stream, steps.events)) options.onOutput()
      await talk.take(steps, chunk.atMs)
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

/**
 * An agent that does nothing but try the same again, and write its log, is silent: some do so for ever. A piece of an
 * unended line of stdout is no silence, since a long line may take its time.
 */
function showsProgress(stream: StreamName, events: readonly RunEventBody[]): boolean {
  return events.some(isProgress) || (events.length === 0 && stream === 'stdout')
}

const isProgress = ({ type }: RunEventBody) => type !== 'retry'

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
