import type { OrganizationView, Retention, StagesView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

export type StagesOf = {
  /** A machine's id or name. */
  machineId?: string
  /** A job's id or key. */
  jobId?: string
  /** How far back, in ms; a week when absent. */
  sinceMs?: number
}

export type Organization = {
  get(): Promise<OrganizationView>
  /** For owners and admins. `retention` is how long finished work is kept, where a job says nothing else. */
  update(changes: { name?: string; retention?: Partial<Retention> }): Promise<OrganizationView>
  /** How long each step of the delivery ladder took: percentiles over at most the newest 5,000 runs. */
  stages(of?: StagesOf): Promise<StagesView>
}

export function createOrganization(raw: Raw, call: Call): Organization {
  return {
    get: () => call(raw.organization.get.query()),
    update: (changes) => call(raw.organization.update.mutate(changes)),
    stages: (of = {}) => call(raw.stages.get.query(of)),
  }
}
