import type { DispatchClaim, DispatchReport } from '@baton/db'
import { DISPATCH_TRIES } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { nextPauseMs } from './next-pause.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { OutputSender, OutputSenders, ReadBackResult, SendContext, SendResult } from './output-sender.ts'
import type { PreparedDispatch } from './prepare-dispatch.ts'

export type TryParts = {
  prepare(claim: DispatchClaim): Promise<PreparedDispatch | { problem: string; mismatch: boolean }>
  senders: OutputSenders
  outbound: Outbound
  publicUrl: () => string
  now: () => number
  log: Logger
}

/** A part that makes this kind of effect may be set up later, or be known to a newer relay already. */
const NO_SENDER_MS = 10 * 60_000

/**
 * One try of a claimed dispatch, from reading what it is about to what is to be reported. Where the last try's result is
 * not known, the effect is looked for before anything is sent again. Null: the claim has ended meanwhile (this computer
 * slept or stood still), so nothing was sent and there is nothing to report.
 */
export async function tryDispatch(
  parts: TryParts,
  claim: DispatchClaim,
  { signal, isStillMine }: { signal: AbortSignal; isStillMine: () => boolean },
): Promise<DispatchReport | null> {
  const startedAt = parts.now()
  const took = () => parts.now() - startedAt
  if (claim.off !== null) return { state: 'skipped', result: 'skipped', why: claim.off, tookMs: null }
  if (claim.tries > DISPATCH_TRIES) {
    const why = 'Its last try was never heard of again, and there are no more.'
    return { state: 'dead', result: 'dead', why, tookMs: null, unconfirmed: claim.unconfirmed }
  }
  const sender = parts.senders.get(claim.kind)
  if (!sender) {
    const why = `This relay has nothing that sends ${claim.kind}. Is the integration set up?`
    return {
      state: 'pending',
      result: 'retry',
      why,
      tookMs: null,
      afterMs: NO_SENDER_MS,
      unconfirmed: claim.unconfirmed,
    }
  }
  const prepared = await parts.prepare(claim)
  if ('problem' in prepared) {
    const failed = { state: 'failed', result: 'failed', why: prepared.problem, tookMs: took() } as const
    return prepared.mismatch ? { ...failed, failureCause: prepared.problem } : failed
  }
  const context: SendContext = {
    facts: prepared.facts,
    message: prepared.message,
    moment: prepared.moment,
    hops: prepared.hops,
    outbound: parts.outbound,
    signal,
    publicUrl: parts.publicUrl(),
    now: parts.now,
  }
  if (!isStillMine()) return null
  const before = claim.unconfirmed ? await lookFor(sender, prepared, context, parts.log) : null
  if (before?.result === 'sent') return toReport(claim, before, took(), false)
  if (before?.result === 'unknown') {
    const why = `Whether an earlier try arrived could not be found out: ${before.why}`
    return toReport(claim, { result: 'unknown', why, afterMs: before.afterMs }, took(), false)
  }
  if (!isStillMine()) return null
  const result = await sendOnce(sender, prepared, context, parts.log)
  return toReport(claim, result, took(), before?.result === 'cannot')
}

async function lookFor(
  sender: OutputSender,
  { dispatch }: PreparedDispatch,
  context: SendContext,
  log: Logger,
): Promise<ReadBackResult> {
  if (!sender.readBack) return { result: 'cannot', why: 'The receiver cannot be asked.' }
  try {
    return await sender.readBack(dispatch, context)
  } catch (error) {
    log.warn({ error, dispatch: dispatch.id }, 'an effect could not be looked for')
    return { result: 'unknown', why: reasonOf(error, context.signal) }
  }
}

async function sendOnce(
  sender: OutputSender,
  { dispatch }: PreparedDispatch,
  context: SendContext,
  log: Logger,
): Promise<SendResult> {
  try {
    return await sender.send(dispatch, context)
  } catch (error) {
    log.warn({ error, dispatch: dispatch.id }, 'a dispatch was cut short')
    return { result: 'unknown', why: reasonOf(error, context.signal) }
  }
}

function toReport(
  claim: DispatchClaim,
  result: SendResult & { afterMs?: number | undefined },
  tookMs: number,
  maybeRepeated: boolean,
): DispatchReport {
  const common = { result: result.result, tookMs, maybeRepeated }
  switch (result.result) {
    case 'sent':
      return {
        ...common,
        state: 'sent',
        why: null,
        externalId: result.externalId,
        url: result.url,
        content: result.content,
      }
    case 'failed':
      return { ...common, state: 'failed', why: result.why, disables: result.disables === true }
    case 'retry':
    case 'unknown': {
      const afterMs = nextPauseMs(claim.tries, result.afterMs)
      const unconfirmed = result.result === 'unknown'
      return afterMs === null
        ? { ...common, state: 'dead', why: result.why, unconfirmed }
        : { ...common, state: 'pending', why: result.why, afterMs, unconfirmed }
    }
  }
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'It took too long.'
  return error instanceof Error ? error.message : 'It failed without a reason.'
}
