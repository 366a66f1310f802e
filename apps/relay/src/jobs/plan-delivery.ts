import type { DeliveryRules, NewDelivery, NewEvent } from '@baton/db'
import {
  type AgentId,
  type JobId,
  type MachineId,
  PROMPT_BYTES,
  type RunLimits,
  type Trust,
  toId,
} from '@baton/protocol'
import { uuidv7obj } from 'uuidv7'
import { laneOf } from './lane.ts'

export type DeliveryPlan = {
  agentId: AgentId
  machineId: MachineId
  job: { id: JobId; key: string } | null
  workspace: string | null
  limits: RunLimits
  /** `public`: its text came from outside the organization, so the run gets the least power. */
  trust: Trust
}

/** What is stored, and what a push from memory needs besides. */
export type PlannedDelivery = NewDelivery & { jobKey: string | null }
export type PlannedEvent = Omit<NewEvent, 'deliveries'> & { deliveries: PlannedDelivery[] }

/** A delivery that is not stored yet, pending unless the caller reserves a lease for it. */
export function planDelivery(
  plan: DeliveryPlan,
  prompt: string,
  rules: DeliveryRules | null,
): PlannedDelivery {
  return {
    id: toId('delivery', uuidv7obj().toHex()),
    runId: toId('run', uuidv7obj().toHex()),
    agentId: plan.agentId,
    machineId: plan.machineId,
    jobId: plan.job?.id ?? null,
    jobKey: plan.job?.key ?? null,
    prompt: capPrompt(prompt),
    workspace: plan.workspace,
    lane: laneOf(plan.workspace, plan.agentId),
    limits: plan.limits,
    trust: plan.trust,
    rules,
    leaseEpoch: null,
  }
}

/** A template may fill in a whole payload; what is cut off says so, and the agent has the event's body as a file. */
function capPrompt(prompt: string): string {
  const clean = prompt.replaceAll('\0', '\u2400').toWellFormed()
  const bytes = Buffer.from(clean)
  if (bytes.length <= PROMPT_BYTES) return clean
  const kept = bytes
    .subarray(0, PROMPT_BYTES)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')
  return `${kept}\n\n[The prompt was cut here: ${bytes.length - PROMPT_BYTES} of ${bytes.length} bytes left out. The whole event is in the file named by BATON_EVENT_PATH.]`
}
