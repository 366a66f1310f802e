import type { PushedDelivery } from '@baton/protocol'
import type { Refused } from './runtime.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** It stands on an argv, so it does not begin with a dash. */
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:@/[\]-]{0,199}$/

/** What a delivery says that will stand on an argv, checked: its model, and its session where the CLI uses UUIDs. */
export function refuseNames({ agent, sessionId }: PushedDelivery, cli: string): Refused | null {
  if (sessionId !== null && !UUID.test(sessionId)) {
    return {
      refused: 'policy',
      message: `The conversation to go on with has an id that ${cli} does not use.`,
    }
  }
  return refuseModel(agent.model)
}

export function refuseModel(model: string | null): Refused | null {
  if (model === null || MODEL.test(model)) return null
  return {
    refused: 'policy',
    message: `"${model.slice(0, 80)}" is no name of a model. Change the agent's model.`,
  }
}

/** The run's own id as the id of the CLI's conversation: known before the process runs, and never used twice. */
export function uuidOfRun(runId: string): string {
  return runId.replace(/^run_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
