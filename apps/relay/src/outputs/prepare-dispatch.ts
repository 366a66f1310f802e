import { type Db, type DispatchClaim, findOutputFacts } from '@baton/db'
import { type OutputMoment, outputText } from '@baton/protocol'
import { checkResult } from './check-result.ts'
import type { ClaimedDispatch, Message } from './output-sender.ts'
import { type RunFacts, toRunFacts } from './run-facts.ts'
import { openSecrets } from './stored-secrets.ts'
import { writeMessage } from './write-message.ts'

export type PreparedDispatch = {
  dispatch: ClaimedDispatch
  facts: RunFacts
  message: Message
  moment: OutputMoment | null
  hops: number
  /** Where the run has worked on its machine. */
  workspace: string | null
}

/**
 * Reads what a dispatch is about and writes what it says. `mismatch`: the result does not match the schema of the output,
 * so it is not sent as the success that it was meant for.
 */
export async function prepareDispatch(
  parts: { db: Db; sealKey: Buffer; publicUrl: string },
  claim: DispatchClaim,
): Promise<PreparedDispatch | { problem: string; mismatch: boolean }> {
  const text = claim.text ?? outputText.parse({})
  const found = claim.deliveryId
    ? await findOutputFacts(parts.db, claim.deliveryId, claim.runId, { withBody: namesPayload(text) })
    : null
  if (!found) return { problem: 'What it is about is not kept any longer.', mismatch: false }
  let cause = claim.cause
  if (text.schema !== null && found.deliveryState === 'succeeded' && cause === null) {
    const checked = checkResult(text.schema, found.result ?? '')
    if (!checked.ok && claim.moment === 'success') return { problem: checked.why, mismatch: true }
    if (!checked.ok) cause = checked.why
  }
  const facts = toRunFacts(found, parts.publicUrl, cause)
  const message = writeMessage(text, facts, claim.moment)
  if ('problem' in message) return { problem: message.problem, mismatch: false }
  const config = { ...claim.config, ...openSecrets(parts.sealKey, claim.outputId, claim.sealedSecrets) }
  return {
    dispatch: {
      id: claim.id,
      kind: claim.kind,
      organizationId: claim.organizationId,
      outputId: claim.outputId,
      jobId: claim.jobId,
      deliveryId: claim.deliveryId,
      runId: claim.runId,
      eventId: claim.eventId,
      key: claim.key,
      marker: `baton:${claim.id}`,
      config,
      text,
      tries: claim.tries,
      firstTriedAt: claim.firstTriedAt.getTime(),
      externalId: claim.externalId,
    },
    facts,
    message,
    moment: claim.moment,
    hops: found.event.hops,
    workspace: found.workspace,
  }
}

const namesPayload = (text: { subject: string | null; body: string | null }) =>
  /\{\{\s*payload\b/.test(`${text.subject ?? ''}${text.body ?? ''}`)
