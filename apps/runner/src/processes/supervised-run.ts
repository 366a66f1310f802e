import type { ErrorKind, KillProof } from '@baton/protocol'
import type { EndInside } from './end-inside.ts'

/** What to start. It travels through the supervisor's stdin, so it is never on an argv and never on disk. */
export type SpawnSpec = {
  file: string
  args: string[]
  cwd: string
  /** The whole environment of the agent; nothing of the runner's own is added but the mark BATON_RUN_ID. */
  env: Record<string, string>
  stdin: string
  keepStdinOpen: boolean
  /** The agent is ended when no runner has touched the run for this long (time asleep does not count). */
  abandonAfterMs: number
  /** For a run inside a container: its processes there are ended too. */
  inside?: EndInside | null
}

export type StreamName = 'stdout' | 'stderr'
/** Byte offsets, or byte counts, of the two streams since the agent started. */
export type Offsets = { stdout: number; stderr: number }

/** Raw bytes of one stream. `atMs` is when the last of them, or a later one, was written to disk (wall clock). */
export type OutputChunk = { stream: StreamName; offset: number; bytes: Buffer; atMs: number }

/** How an agent ended. */
export type Exit = {
  exitCode: number | null
  signal: string | null
  endedAt: number
  /** What was sent to its processes; null when nothing was left to end. */
  killProof: KillProof | null
  /** Set when the agent could not start or its custody failed; null for an agent that ran, however it ended. */
  error: ErrorKind | null
  message: string | null
  /** The reason given to `stop`, or `abandoned`; null when the agent ended by itself. */
  stopReason: string | null
  /** Everything that it wrote, so that a reader knows when it has all of it. */
  outputBytes: Offsets
}

/** An exit with the given facts; everything else as for an agent of which nothing more is known. */
export function createExit(facts: Partial<Exit>): Exit {
  return {
    exitCode: null,
    signal: null,
    endedAt: Date.now(),
    killProof: null,
    error: null,
    message: null,
    stopReason: null,
    outputBytes: { stdout: 0, stderr: 0 },
    ...facts,
  }
}

/** The agent never ran: what is wrong, in the words of the run's own error. */
export type StartRefused = { refused: ErrorKind; message: string }

/** An agent under its supervisor. It lives on when this process dies; `adoptSupervised` finds it again. */
export interface SupervisedRun {
  /** The agent's process id. */
  readonly pid: number
  /** Settles once, after the agent and everything it left behind is gone. Never rejects. */
  readonly exited: Promise<Exit>
  /** All output from these offsets on: what is on disk, then live. Ends when the agent ended and all was read. */
  output(from: Offsets, signal: AbortSignal): AsyncIterable<OutputChunk>
  /**
   * Appends to the agent's stdin. Resolves when the supervisor is told; text for an ended agent is dropped. With an `id` it
   * is told once, however often it is called, by this runner or by one that adopts the run.
   */
  write(text: string, id?: string): Promise<void>
  closeStdin(): Promise<void>
  /**
   * Everything before these offsets is safe elsewhere: its segments may be deleted. While more than 64 MiB are not
   * consumed the agent's pipes are not read, so that the agent waits instead of filling the disk.
   */
  consumed(at: Offsets): Promise<void>
  /** TERM to the whole tree, `graceMs` (10 s), then KILL of what is left. Resolves when told; `exited` says the rest. */
  stop(reason: string, graceMs?: number): Promise<void>
  /** Lets go of the run without ending it: timers and watches stop, `exited` stays pending, output() ends. */
  release(): void
}

/** A run that nobody supervises any more. Its processes were ended and what it wrote can still be read. */
export type GoneRun = {
  /**
   * `never_started`: no agent was and will be started from this attempt, so starting again is safe.
   * `machine_restarted`, `supervisor_died`: the agent ran, for how long is not known.
   */
  gone: 'never_started' | 'machine_restarted' | 'supervisor_died'
  killProof: KillProof | null
  output(from: Offsets, signal: AbortSignal): AsyncIterable<OutputChunk>
}
