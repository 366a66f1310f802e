import type { ApprovalRules, PushedDelivery, RunChanges, RunEventBody } from '@baton/protocol'
import { failed, STOPPED, type Verdict } from '../agents/run-ends.ts'
import type { RunEnd, RunReader } from '../agents/runtime.ts'
import type { Exit, GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import { withdrawAll } from './ask-book.ts'
import { carryOut, readLeftOutput } from './carry-out.ts'
import type { RunControls } from './run-controls.ts'
import { FINISHED, isStopReason, type StopRequest, stoppedVerdict } from './stop-request.ts'
import { createTalk } from './talk.ts'
import type { Transcript } from './transcript.ts'
import { watchLimits } from './watch-limits.ts'
import { changesEvent } from './workspace-changes.ts'

/** What an agent's work came to: the last events of its transcript, its end and its exit. */
export type WorkEnd = { last: RunEventBody[]; end: RunEnd; exit: Exit; changes: RunChanges | null }

export type WatchedWork = {
  supervised: SupervisedRun
  reader: RunReader
  transcript: Transcript
  cwd: string
  /** What it changed, asked once all its processes are gone. */
  findChanges(): Promise<RunChanges | null>
  limits: { silenceMs: number | null; wallMs: number | null }
  rules: ApprovalRules
  /** What people told the run reaches the agent while it is followed. */
  controls: RunControls
  requestStop(request: StopRequest): void
  stopRequest(): StopRequest | null
  signal: AbortSignal
}

/** Follows an agent to its end, within its limits. Rejects when the signal aborts; the agent then runs on. */
export async function watchWork(work: WatchedWork): Promise<WorkEnd> {
  const { supervised, reader, transcript, signal } = work
  const startedAt = transcript.memo().startedAt ?? Date.now()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const talk = createTalk({ ...work, onError: failure.reject })
  const watch = watchLimits(
    { ...work.limits, alreadyMs: Date.now() - startedAt },
    (reason) => work.requestStop({ reason, sentence: STOPPED[reason].message ?? reason }),
    () => talk.waits(),
  )
  let exit: Exit
  try {
    work.controls.attach(talk)
    const onOutput = () => watch.heard()
    exit = await carryOut(supervised, reader, transcript, { onOutput, talk, failed: failure, signal })
  } finally {
    work.controls.attach(null)
    talk.stop()
    watch.stop()
  }
  const asked = work.stopRequest()
  const stopReason = asked?.reason ?? (isStopReason(exit.stopReason) ? exit.stopReason : null)
  const changes = await work.findChanges()
  const { events, end } = reader.end(exit, { stopReason, changedFiles: changes?.filesChanged ?? null })
  const abandoned = stopReason === null && exit.stopReason !== null && exit.stopReason !== FINISHED
  return {
    last: [
      ...events,
      ...talk.end(),
      ...changesEvent(changes),
      ...killedEvent(exit, asked?.sentence ?? exit.stopReason),
    ],
    end: {
      ...end,
      ...(abandoned && failed('killed', 'No runner looked after it for too long, so it was ended.')),
      ...(asked && end.state === 'cancelled' && stoppedVerdict(asked)),
    },
    exit,
    changes,
  }
}

/** The end of a run whose supervisor is gone: what it had printed is kept, how far it got is not known. */
export async function endLeftWork(
  gone: GoneRun,
  reader: RunReader,
  transcript: Transcript,
  findChanges: () => Promise<RunChanges | null>,
  signal: AbortSignal,
): Promise<WorkEnd> {
  await readLeftOutput(gone, reader, transcript, signal)
  const cause =
    gone.gone === 'machine_restarted'
      ? 'The machine restarted while the agent was running.'
      : 'The agent was ended from outside, together with its supervisor.'
  const exit = { ...noExit(), killProof: gone.killProof }
  const changes = await findChanges()
  const { events, end } = reader.end(exit, { stopReason: null, changedFiles: changes?.filesChanged ?? null })
  return {
    last: [
      ...events,
      ...withdrawAll(transcript.memo().talk),
      ...changesEvent(changes),
      ...killedEvent(exit, cause),
    ],
    end: { ...end, ...failed('killed', `${cause} Its output up to then was kept; run it again.`) },
    exit,
    changes,
  }
}

/** The end of a run whose agent never ran. */
export function unstartedEnd(verdict: Verdict): WorkEnd {
  return {
    last: [],
    end: { ...verdict, result: null, usage: null, sessionId: null },
    exit: noExit(),
    changes: null,
  }
}

/** The policy of this machine may shorten what the job allows, never lengthen it. */
export function effectiveLimits(limits: PushedDelivery['limits'], maxWallMs: number | null) {
  const walls = [limits.wallMs, maxWallMs].filter((one) => one !== null)
  return { silenceMs: limits.silenceMs, wallMs: walls.length > 0 ? Math.min(...walls) : null }
}

function killedEvent(exit: Exit, reason: string | null | undefined): RunEventBody[] {
  if (!exit.killProof) return []
  return [
    { type: 'killed', reason: reason ?? 'It left processes behind when it ended.', proof: exit.killProof },
  ]
}

function noExit(): Exit {
  return {
    exitCode: null,
    signal: null,
    endedAt: Date.now(),
    killProof: null,
    error: null,
    message: null,
    stopReason: null,
    outputBytes: { stdout: 0, stderr: 0 },
  }
}
