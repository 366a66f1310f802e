import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { BatonError, type RunEvent, type RunView, type Transcript } from '@baton/protocol'
import { type Baton, BatonApiError, type Run } from '@baton/sdk'
import { signRequest } from '@baton/webhooks'

export const STAGES = ['accepted', 'leased', 'on disk', 'started', 'first output', 'finished'] as const
export type StageName = (typeof STAGES)[number]
/** `ms` counts from the moment the request was sent; null for a stage that was not reached. */
export type Stage = { name: StageName; ms: number | null }

export type Proof = {
  ok: boolean
  /** The first stage that was not reached, and why. */
  failed: { stage: StageName; message: string } | null
  stages: Stage[]
  totalMs: number | null
  eventId: string | null
  deliveryId: string | null
  runId: string | null
  url: string | null
  transcript: Transcript | null
}

const JOB_KEY = 'proof'
const WITHIN_MS = 60_000
const PROMPT = 'Look around in your workspace and write down what you find. Asked by: {{ payload.from }}'

/**
 * Sends one signed webhook to the relay's own public intake and follows it through the whole path to its end. A stage
 * that fails is an answer, not an error. `show` gets each run event as it arrives.
 */
export async function prove(baton: Baton, show: (event: RunEvent) => void): Promise<Proof> {
  const proof = emptyProof()
  try {
    const hook = await prepareHook(baton)
    const sentAt = Date.now()
    const answer = await send(hook)
    proof.stages[0] = { name: 'accepted', ms: Date.now() - sentAt }
    Object.assign(proof, { eventId: answer.eventId, deliveryId: answer.deliveryId })
    const run = await follow(baton, answer.deliveryId, show)
    fillFrom(proof, baton, run, sentAt)
    if (run.state !== 'succeeded') await explainFailure(proof, baton, run)
  } catch (error) {
    proof.failed ??= {
      stage: firstMissing(proof),
      message: messageOf(error),
    }
  }
  proof.ok = proof.failed === null
  return proof
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof BatonApiError && error.requestId
    ? `${error.message} (request ${error.requestId})`
    : error.message
}

function emptyProof(): Proof {
  const stages = STAGES.map((name) => ({ name, ms: null }))
  const unknown = { eventId: null, deliveryId: null, runId: null, url: null, transcript: null }
  return { ok: false, failed: null, stages, totalMs: null, ...unknown }
}

type Hook = { url: string; secret: string }

/** The job is made at the first start; later ones give its webhook a new secret, so none is kept anywhere. */
async function prepareHook(baton: Baton): Promise<Hook> {
  const job = (await baton.jobs.list()).find((one) => one.key === JOB_KEY)
  const trigger = job?.triggers.find((one) => one.kind === 'webhook')
  if (job && trigger) {
    if (!job.enabled) await baton.jobs.enable(job.id)
    return { url: trigger.url, secret: (await baton.jobs.rotateSecret(trigger.id)).secret }
  }
  const created = await baton.jobs.create({
    key: JOB_KEY,
    name: 'Proof of the whole path',
    agent: 'demo',
    prompt: PROMPT,
    triggers: [{ kind: 'webhook', scheme: 'baton' }],
  })
  const [secret] = created.secrets
  if (!secret) throw new BatonError('internal', 'The relay made no webhook for the job.')
  return secret
}

async function send({ url, secret }: Hook): Promise<{ eventId: string; deliveryId: string }> {
  const body = JSON.stringify({ from: 'npm start' })
  const headers = signRequest({ scheme: 'baton', secret, id: randomUUID(), timestampMs: Date.now(), body })
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(10_000),
  })
  if (response.status !== 202)
    throw new BatonError('internal', `${url} answered ${response.status}: ${await response.text()}`)
  const { eventId, deliveries } = (await response.json()) as { eventId: string; deliveries: string[] }
  const [deliveryId] = deliveries
  if (!deliveryId) throw new BatonError('internal', `The event ${eventId} was accepted and started nothing.`)
  return { eventId, deliveryId }
}

async function follow(baton: Baton, deliveryId: string, show: (event: RunEvent) => void): Promise<RunView> {
  const signal = AbortSignal.timeout(WITHIN_MS)
  const { id } = await baton.deliveries.get(deliveryId)
  const run = baton.runs.open(id)
  try {
    for await (const event of run.events({ signal })) show(event)
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return waitForReport(run, signal)
}

/** The runner's report and the whole transcript are there a moment after the last event. */
async function waitForReport(handle: Run, signal: AbortSignal): Promise<RunView> {
  for (;;) {
    const run = await handle.get()
    if (signal.aborted || (run.ladder.finishedAt !== null && run.transcript.complete)) return run
    await sleep(10)
  }
}

function fillFrom(proof: Proof, baton: Baton, run: RunView, sentAt: number): void {
  const times: Record<Exclude<StageName, 'accepted'>, number | null> = {
    leased: run.ladder.leasedAt,
    'on disk': run.ladder.acceptedAt,
    started: run.ladder.startedAt,
    'first output': run.ladder.firstOutputAt,
    finished: run.ladder.finishedAt,
  }
  for (const [at, stage] of proof.stages.entries()) {
    if (stage.name === 'accepted') continue
    const time = times[stage.name]
    proof.stages[at] = {
      name: stage.name,
      ms: time === null ? null : Math.max(0, Math.round((time - sentAt) * 10) / 10),
    }
  }
  proof.totalMs = proof.stages.at(-1)?.ms ?? null
  proof.runId = run.id
  proof.url = baton.runs.open(run.id).url
  proof.transcript = run.transcript
}

async function explainFailure(proof: Proof, baton: Baton, run: RunView): Promise<void> {
  const why = run.ladder.finishedAt === null ? await baton.why(run.id).catch(() => null) : null
  proof.failed = {
    stage: firstMissing(proof),
    message: [run.sentence, run.message, why?.sentence].filter(Boolean).join(' '),
  }
}

function firstMissing(proof: Proof): StageName {
  return proof.stages.find((stage) => stage.ms === null)?.name ?? 'finished'
}
