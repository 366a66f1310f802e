import type { StoredOutput } from '@baton/db'
import { BatonError, DISPATCH_TRY_MS, isMachineOutput, type OutputTest, toId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import type { RelayParts } from '../api/context.ts'
import type { SendResult } from './output-sender.ts'
import { sampleFacts } from './run-facts.ts'
import { openSecrets } from './stored-secrets.ts'
import { writeMessage } from './write-message.ts'

/** Sends a sample now and waits for what comes of it. It is no dispatch: nothing is stored and nothing repeated. */
export async function testOutput(
  parts: RelayParts,
  output: StoredOutput,
  job: { key: string; name: string },
): Promise<OutputTest> {
  if (isMachineOutput(output.kind)) {
    throw new BatonError(
      'bad_input',
      `A ${output.kind} output is carried out by the machine of a run. Run the job once to try it: baton job run ${job.key}`,
    )
  }
  const sender = parts.senders.get(output.kind)
  if (!sender)
    throw new BatonError(
      'conflict',
      `This relay has nothing that sends ${output.kind}. Set the integration up first.`,
    )
  const facts = sampleFacts(job, parts.config.publicUrl, parts.now())
  const message = writeMessage(output.text, facts, output.on)
  if ('problem' in message) return { ok: false, sentence: message.problem, url: null, tookMs: 0 }
  const id = toId('dispatch', uuidv7())
  const startedAt = parts.now()
  const result = await sender.send(
    {
      id,
      kind: output.kind,
      organizationId: output.organizationId,
      outputId: output.id,
      jobId: output.jobId,
      deliveryId: null,
      runId: null,
      eventId: null,
      key: `test:${id}`,
      marker: `baton:${id}`,
      config: { ...output.config, ...openSecrets(parts.keys.seal, output.id, output.sealedSecrets) },
      text: output.text,
      tries: 1,
      firstTriedAt: startedAt,
      externalId: null,
    },
    {
      facts,
      message,
      moment: output.on,
      hops: 0,
      outbound: parts.outbound,
      signal: AbortSignal.timeout(DISPATCH_TRY_MS),
      publicUrl: parts.config.publicUrl,
      now: parts.now,
    },
  )
  return toTest(result, parts.now() - startedAt)
}

function toTest(result: SendResult, tookMs: number): OutputTest {
  if (result.result === 'sent')
    return { ok: true, sentence: 'The sample was sent.', url: result.url ?? null, tookMs }
  const sentence = result.result === 'retry' ? `${result.why} A dispatch would be tried again.` : result.why
  return { ok: false, sentence, url: null, tookMs }
}
