import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { LeaseRef, PushedDelivery, SettleReport } from '@baton/protocol'
import { driverFor } from '../agents/driver-for.ts'
import { failed, STOPPED } from '../agents/run-ends.ts'
import type { AgentPolicy, RunReader } from '../agents/runtime.ts'
import { isFinalRefusal } from '../connection/call-error.ts'
import { type ReadySupervisor, readySupervisor } from '../processes/start-supervised.ts'
import type { GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import { takeSnapshot } from '../workspaces/changed-files.ts'
import { type Admitted, admitDelivery, type Refusal } from './admit-delivery.ts'
import { finishedEvent, toFinishFacts } from './finish-facts.ts'
import type { RunContext } from './run-context.ts'
import { emptyRunFolder, writeSnapshot } from './run-folder.ts'
import { createRunRecord } from './run-record.ts'
import { effectiveLimits, endLeftWork, unstartedEnd, type WorkEnd, watchWork } from './run-work.ts'
import { addExitToReport, readSpawnReport, type SpawnReport, writeSpawnReport } from './spawn-report.ts'
import { STOP_GRACE_MS, type StopRequest } from './stop-request.ts'
import type { FinishFacts, Transcript } from './transcript.ts'
import { untilAnswered } from './until-answered.ts'

/**
 * admitting: pushed, being checked; nothing is promised yet. accepted: on this disk, the agent not started. running: the
 * agent may run. finished: its end is on this disk and owed to the relay. closed: nothing is owed any more.
 */
export type RunPhase = 'admitting' | 'accepted' | 'running' | 'finished' | 'closed'

export type Run = {
  readonly delivery: PushedDelivery
  readonly lease: LeaseRef
  readonly phase: RunPhase
  /** The relay knows that this runner has it: its lease is to be renewed. */
  readonly leased: boolean
  readonly pid: number | null
  /** Ends the agent and then the run, with this reason unless another came first. */
  requestStop(request: StopRequest): void
  /** The relay says up to where it has the events. */
  acked(seq: number): void
  /** Lets go of the run and leaves its agent to its supervisor. */
  release(): void
  /** Settles when the run is closed or was released. Never rejects. */
  ended: Promise<void>
}

export type RunOrigin =
  | { from: 'push' }
  /** What the journal and the run's folder said at the start of this runner. */
  | { from: 'journal'; settle: SettleReport | null; left: SupervisedRun | GoneRun | null }

const FAILED_PAUSE_MS = 10_000

/** Takes one delivery from its push, or from the journal, to the relay's answer to its settle. */
export function createRun(
  context: RunContext,
  delivery: PushedDelivery,
  origin: RunOrigin,
  onChange: () => void,
): Run {
  const { calls, journal, writes } = context
  const lease: LeaseRef = { deliveryId: delivery.deliveryId, runId: delivery.runId, fence: delivery.fence }
  const folder = join(context.runsFolder, delivery.runId)
  const logger = context.logger.child({ runId: delivery.runId, deliveryId: delivery.deliveryId })
  const released = new AbortController()
  const { signal } = released
  const record = createRunRecord(context, delivery, lease, folder, signal)
  let phase = firstPhase(origin)
  let leased = origin.from === 'journal'
  let stop: StopRequest | null = null
  let supervised: SupervisedRun | null =
    origin.from === 'journal' && origin.left && !('gone' in origin.left) ? origin.left : null
  let startReported: Promise<void> = Promise.resolve()

  const answered = <T>(call: () => Promise<T>) => untilAnswered(writes, signal, call)

  function enter(next: RunPhase) {
    phase = next
    if (next === 'finished' || next === 'closed') context.turns.leave(lease.runId)
    onChange()
  }

  async function live() {
    if (origin.from === 'push') return await fromPush()
    if (origin.settle) return await report(origin.settle)
    const transcript = await record.open()
    const { finish: facts } = transcript.memo()
    if (facts) return await settle(facts)
    if (origin.left && !('gone' in origin.left && origin.left.gone === 'never_started'))
      return await resume(origin.left, transcript)
    const admitted = await admitDelivery(context, delivery, folder)
    await writes.ready(signal)
    await startUnless(() => accept(admitted))
  }

  async function fromPush() {
    await startUnless(async () => {
      const admitted = await admitDelivery(context, delivery, folder)
      if ('errorKind' in admitted) return () => refuse(admitted)
      await journal.append({ kind: 'accepted', delivery })
      enter('accepted')
      return await accept(admitted)
    })
  }

  /** The supervisor boots while `prepare` finds out whether the agent is to be started, or what is to be done instead. */
  async function startUnless(prepare: () => Promise<Admitted | (() => Promise<void>)>) {
    const supervisor = await readySupervisor(folder, lease.runId)
    let next: Admitted | (() => Promise<void>) | null = null
    try {
      next = await prepare()
    } finally {
      if (next === null || typeof next === 'function') supervisor.dismiss()
    }
    if (typeof next === 'function') await next()
    else await start(next, supervisor)
  }

  async function refuse(refusal: Refusal) {
    logger.warn({ refusal }, 'A delivery was refused.')
    context.turns.leave(lease.runId)
    await emptyRunFolder(folder)
    await answered(() => calls.refuse({ ...lease, ...refusal }))
    enter('closed')
  }

  /** Nothing is started before the relay has said that the delivery is this runner's. */
  async function accept(admitted: Admitted | Refusal): Promise<Admitted | (() => Promise<void>)> {
    if (!(stop && leased)) {
      const answer = await answered(() => calls.accept(lease))
      if (!answer.ok) return () => close(answer.reason ?? 'not accepted')
    }
    leased = true
    return stop || 'errorKind' in admitted ? () => finishUnstarted(admitted) : admitted
  }

  async function finishUnstarted(admitted: Admitted | Refusal) {
    const verdict = stop
      ? STOPPED[stop.reason]
      : 'errorKind' in admitted
        ? failed(admitted.errorKind, admitted.message)
        : failed('internal', 'It was not started.')
    await finish(await record.open(), unstartedEnd(verdict))
  }

  async function start({ cwd, driver, prepared, policy }: Admitted, supervisor: ReadySupervisor) {
    const transcript = await record.open()
    await Promise.all([
      journal.append({ kind: 'started', runId: lease.runId }),
      writeSpawnReport(folder, driver.runtime, cwd, prepared),
      takeSnapshot(cwd).then((snapshot) => writeSnapshot(folder, snapshot)),
    ])
    enter('running')
    const begun = await supervisor.start({ ...prepared.command, cwd, abandonAfterMs: context.abandonAfterMs })
    if ('refused' in begun)
      return await finish(transcript, unstartedEnd(failed(begun.refused, begun.message)))
    supervised = begun
    await noteStart(transcript, await readSpawnReport(folder), begun.pid)
    await follow(begun, driver.createReader({ delivery, policy }), transcript, cwd, policy.maxWallMs)
  }

  async function noteStart(transcript: Transcript, spawned: SpawnReport | null, pid: number | null) {
    const startedAt = Date.now()
    const workspace = spawned?.cwd ?? delivery.workspace.path ?? ''
    const { runtime } = delivery.agent
    const command = spawned?.shown ?? []
    const version = spawned?.version ?? null
    await transcript.note([{ type: 'started', runtime, command, version, workspace, pid }], { startedAt })
  }

  /** An earlier runner started it. Its agent runs, has ended, or was lost with its supervisor. */
  async function resume(left: SupervisedRun | GoneRun, transcript: Transcript) {
    const spawned = await readSpawnReport(folder)
    const cwd = spawned?.cwd ?? delivery.workspace.path ?? folder
    context.turns.take(cwd, lease.runId)
    const memo = transcript.memo()
    if (memo.startedAt === null) await noteStart(transcript, spawned, 'gone' in left ? null : left.pid)
    const policy = await context.policy()
    const reader = createReader(
      memo.reader === null ? null : transcript,
      policy.ok ? policy.value.commands : {},
    )
    if ('gone' in left) return await finish(transcript, await endLeftWork(left, reader, transcript, signal))
    const seenAt = context.predecessorSeenAt
    const afterMs = seenAt === null ? null : Math.max(0, Date.now() - seenAt)
    await transcript.note([{ type: 'adopted', afterMs, why: 'The runner was restarted; its agent ran on.' }])
    await follow(left, reader, transcript, cwd, policy.ok ? policy.value.maxWallMs : null)
  }

  function createReader(goOn: Transcript | null, commands: AgentPolicy['commands']): RunReader {
    const driver = driverFor(delivery.agent.runtime)
    if (!driver) throw new Error(`This version cannot read what ${delivery.agent.runtime} agents print.`)
    const from = goOn ? { committed: goOn.committed(), state: goOn.memo().reader } : undefined
    return driver.createReader({ delivery, policy: { commands } }, from)
  }

  async function follow(
    run: SupervisedRun,
    reader: RunReader,
    transcript: Transcript,
    cwd: string,
    maxWallMs: number | null,
  ) {
    if (stop) tellSupervisor(run, stop)
    reportStart(transcript, cwd)
    onChange()
    const limits = effectiveLimits(delivery.limits, maxWallMs)
    const stopRequest = () => stop
    const ended = await watchWork({
      supervised: run,
      reader,
      transcript,
      folder,
      cwd,
      limits,
      requestStop,
      stopRequest,
      signal,
    })
    run.release()
    supervised = null
    await addExitToReport(folder, ended.exit)
    await finish(transcript, ended)
  }

  function reportStart(transcript: Transcript, workspace: string) {
    const begun = { ...lease, startedAt: transcript.memo().startedAt ?? Date.now(), workspace }
    startReported = answered(() => calls.start(begun)).then((answer) => {
      if (answer.reason === 'cancelled') requestStop({ reason: 'cancelled', sentence: 'It was cancelled.' })
      if (answer.reason === 'lease_lost') requestStop(LEASE_LOST)
    })
    startReported.catch(() => undefined)
  }

  async function finish(transcript: Transcript, { end, exit, last }: WorkEnd) {
    const facts = toFinishFacts(end, exit, transcript.memo())
    await transcript.finish([...last, finishedEvent(facts)], facts)
    await settle(facts)
  }

  async function settle(facts: FinishFacts) {
    const end = await record.recordEnd(facts)
    enter('finished')
    await report(end)
  }

  async function report(end: SettleReport) {
    await startReported
    await close(await record.send(end))
  }

  async function close(why: string) {
    await journal.append({ kind: 'closed', deliveryId: lease.deliveryId, runId: lease.runId, why })
    released.abort()
    await record.close()
    await emptyRunFolder(folder)
    logger.info({ why }, 'The run is closed.')
    enter('closed')
  }

  function requestStop(request: StopRequest) {
    if (stop || phase === 'finished' || phase === 'closed') return
    stop = request
    logger.info({ reason: request.reason }, request.sentence)
    if (supervised) tellSupervisor(supervised, request)
  }

  function tellSupervisor(run: SupervisedRun, request: StopRequest) {
    run.stop(request.reason, STOP_GRACE_MS[request.reason]).catch((error: unknown) => {
      logger.error({ error }, 'The supervisor could not be told to end its agent.')
    })
  }

  /**
   * Something here broke: the disk is full, a file cannot be read. The agent is ended; the first time what it printed
   * is still read to its end, after that only the failure is told.
   */
  async function fail(error: unknown, isFirst: boolean) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    const errorKind = full ? 'disk_full' : 'internal'
    const message = full
      ? 'The disk of the machine is full. Free some space there, then run it again.'
      : `The runner could not carry the run on: ${(error as Error).message}`
    if (phase === 'admitting')
      return await refuse({ errorKind, message, final: false, retryAfterMs: FAILED_PAUSE_MS })
    requestStop({ reason: full ? 'disk_full' : 'shutdown', sentence: message })
    const left = supervised
    await left?.exited
    const transcript = await record.open()
    const { finish: facts } = transcript.memo()
    if (facts) return await settle(facts)
    if (left && isFirst) return await resume(left, transcript)
    await finish(transcript, unstartedEnd(failed(errorKind, message)))
  }

  async function liveToTheEnd() {
    let step = live
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        return await step()
      } catch (error) {
        if (signal.aborted || isFinalRefusal(error)) return
        logger.error({ error, phase }, 'A run could not be carried on.')
        if (failures > 0) await wait(FAILED_PAUSE_MS, undefined, { signal }).catch(() => undefined)
        const isFirst = failures === 0
        step = () => fail(error, isFirst)
      }
    }
  }

  async function liveAndTidy() {
    await liveToTheEnd()
    await record
      .close()
      .catch((error: unknown) => logger.warn({ error }, 'A transcript could not be closed.'))
  }

  const ended = liveAndTidy()

  return {
    delivery,
    lease,
    get phase() {
      return phase
    },
    get leased() {
      return leased
    },
    get pid() {
      return supervised?.pid ?? null
    },
    requestStop,
    acked: (seq) => record.acked(seq),
    release() {
      released.abort()
      supervised?.release()
    },
    ended,
  }
}

export const LEASE_LOST: StopRequest = {
  reason: 'superseded',
  sentence: 'Its lease was given to a newer attempt.',
}

function firstPhase(origin: RunOrigin): RunPhase {
  if (origin.from === 'push') return 'admitting'
  if (origin.settle) return 'finished'
  return origin.left && !('gone' in origin.left && origin.left.gone === 'never_started')
    ? 'running'
    : 'accepted'
}
