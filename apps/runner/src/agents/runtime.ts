import type {
  ApprovalRules,
  Capability,
  ErrorKind,
  Outcome,
  PermissionMode,
  PushedDelivery,
  RunEventBody,
  Runtime,
  Usage,
} from '@baton/protocol'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

export type StreamName = 'stdout' | 'stderr'
/** Byte offsets into an agent's two output streams, counted from the start of the run. */
export type StreamOffsets = { stdout: number; stderr: number }

/**
 * What a reader asks of the runner: store the events, then write `stdin` to the agent, then close its stdin. `asks` are
 * questions that the agent waits on; `withdrawn` are the `ask` numbers of questions that it no longer waits on.
 */
export type ReadSteps = {
  events: RunEventBody[]
  stdin?: string
  closeStdin?: boolean
  /** The agent has said its last: it is ended when it does not exit by itself soon. */
  ended?: boolean
  asks?: PermissionAsk[]
  withdrawn?: string[]
}

/** A question of the agent: may it do exactly this? `ask` is the agent's own number for it, unique within its run. */
export type PermissionAsk = {
  ask: string
  tool: string
  /** The exact command, or the path and what is to be written there: what a person decides about. */
  summary: string
  input: JsonValue
}
export type PermissionAnswer = { decision: 'allow' | 'deny'; message: string | null }
/** `by` names the person who said it. */
export type SteerMessage = { id: string; text: string; by: string }

/** How far a reader got. `state` is plain JSON: a reader made from it goes on as if nothing had happened. */
export type ReaderPosition = { committed: StreamOffsets; state: JsonValue }

/** Turns an agent's raw output into run events. It holds no resource; one reader belongs to one run. */
export type RunReader = {
  /** Feeds the next bytes of one stream. Every event that comes back is at most RUN_EVENT_BYTES when encoded. */
  read(chunk: { stream: StreamName; bytes: Buffer; atMs: number }): ReadSteps
  /**
   * Call when nothing came for a moment (about 100 ms), and once after a reader was made from a position: a partial line
   * of plain text comes out, and an answer that the agent may still be waiting for is given again.
   */
  flush(): ReadSteps
  /** `committed`: up to where the output is wholly represented by the events returned so far. */
  position(): ReaderPosition
  /**
   * A person's answer to a question that came in `asks`. Only of runtimes with the capability `approvals`. What was
   * asked and not answered is in the reader's state, so a question outlives the runner. Unknown numbers do nothing.
   */
  answer?(ask: string, answer: PermissionAnswer): ReadSteps
  /** A person's message into the running agent (capability `steer`): the `steer` event says how far it got. */
  steer?(message: SteerMessage): ReadSteps
  /** Ends what the agent does right now and lets the run end by itself (capability `interrupt`). */
  interrupt?(): ReadSteps
  /** What the run has used so far, for its budget; null while nobody knows. */
  usageSoFar?(): Usage | null
  /**
   * After the process ended and all its output was read: the last events, `usage` and `result` among them, and the honest
   * end. The caller appends the `finished` event, which is made from `end` and the exit.
   */
  end(exit: Exit, facts: RunFacts): { events: RunEventBody[]; end: RunEnd }
}

/** How the process ended: a part of what its supervisor says. `error` is set when it could not be started or watched. */
export type Exit = {
  exitCode: number | null
  signal: string | null
  error: ErrorKind | null
  message: string | null
}

/** Why Baton itself ended the agent. */
export type StopReason =
  | 'cancelled'
  | 'timeout_silence'
  | 'timeout_wall'
  | 'budget'
  | 'disk_full'
  | 'superseded'
  | 'shutdown'

/** `stopReason` is null when Baton did not end it; `changedFiles` is null when nobody could tell. */
export type RunFacts = { stopReason: StopReason | null; changedFiles: number | null }

export type RunEnd = {
  state: 'succeeded' | 'failed' | 'cancelled' | 'timed_out' | 'superseded'
  outcome: Outcome
  errorKind: ErrorKind | null
  message: string | null
  result: string | null
  usage: Usage | null
  sessionId: string | null
  /** When the agent said that its quota comes back, in ms since 1970; only with errorKind `quota`. */
  quotaUntil?: number | null
}

/** The parts of the machine's policy that agents need; the whole policy fits here. */
export type AgentPolicy = {
  /** Executables that the `command` runtime may start, by name. */
  commands: Readonly<Record<string, PolicyCommand>>
  /** Names of further environment variables that agents may see. */
  environment: readonly string[]
  /** Hosts, with their port where it is not the usual one, that chat agents may call besides the known services. */
  chatHosts?: readonly string[]
}
/** What a command prints; `acp`: it speaks the Agent Client Protocol and is for the runtime `acp`. */
export type CommandFormat = 'text' | 'stream-json' | 'acp'
export type PolicyCommand = { argv: readonly string[]; format: CommandFormat }

export type PrepareInput = {
  delivery: PushedDelivery
  cwd: string
  /** A folder of this run's own, outside the workspace; it becomes the agent's TMPDIR. Must exist. */
  tmpDir: string
  /** The file that holds the event's body. Must exist. */
  eventFile: string
  policy: AgentPolicy
  /** A folder beside `cwd` that the agent may read, and write unless it may only read; null: there is none. */
  agentFolder?: string | null
  /** The runner's environment; the agent gets the allow-listed names of it and nothing else. */
  environment: Readonly<Record<string, string | undefined>>
}

export type Prepared = {
  command: {
    file: string
    args: string[]
    env: Record<string, string>
    stdin: string
    keepStdinOpen: boolean
  }
  version: string | null
  /** The argv to show in the `started` event: without secrets, prompt or payload. */
  shown: string[]
}
export type Refused = { refused: ErrorKind; message: string }

/** What a reader must know about its run. For an adopted run, what `from` says wins over a policy changed since. */
export type ReaderContext = {
  delivery: {
    agent: {
      command: string | null
      permissionMode: PermissionMode
      model?: string | null
      instructions?: string
      approvals?: ApprovalRules
    }
    sessionId: string | null
    /** For runtimes that are given the prompt by their reader. */
    prompt?: string
  }
  policy: Pick<AgentPolicy, 'commands'>
  cwd?: string
}

export type RuntimeDriver = {
  runtime: Runtime
  capabilities: readonly Capability[]
  /** Says how to start the agent. Nothing is started and nothing outside `tmpDir` is written. */
  prepare(input: PrepareInput): Promise<Prepared | Refused>
  createReader(run: ReaderContext, from?: ReaderPosition): RunReader
}
