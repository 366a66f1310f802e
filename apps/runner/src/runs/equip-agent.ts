import type { PushedDelivery } from '@baton/protocol'
import type { AgentFolder } from '../agents/profile/agent-folder.ts'
import { createSecretMask, hideAll, type SecretMask } from '../agents/profile/secret-mask.ts'
import { type SyncedSkills, syncSkills } from '../agents/profile/sync-skills.ts'
import type { RunLife } from './run-life.ts'

/**
 * Right before an agent starts: the values of its secrets, for its environment alone, and its skills on the disk. Null: the
 * relay says that this machine does not hold the run any more. The life's mask is set before anything can be told.
 */
export async function equipAgent(
  life: RunLife,
  { delivery, keeps }: { delivery: PushedDelivery; keeps: AgentFolder | null },
): Promise<Record<string, string> | null> {
  const [secrets] = await Promise.all([
    fetchSecrets(life, delivery),
    keeps && bringSkills(life, delivery, keeps.skills),
  ])
  life.mask = secrets && createSecretMask(secrets)
  return secrets
}

/** What an adopted run must not tell. Where the relay names no values any more, nothing is told at all. */
export async function maskAdopted(life: RunLife, delivery: PushedDelivery): Promise<SecretMask | null> {
  const secrets = await fetchSecrets(life, delivery)
  life.mask = secrets ? createSecretMask(secrets) : hideAll
  return life.mask
}

async function fetchSecrets(
  life: RunLife,
  { agent }: PushedDelivery,
): Promise<Record<string, string> | null> {
  if (agent.secretNames.length === 0) return {}
  const { runId, fence } = life.lease
  const { values } = await life.answered(() => life.context.calls.secrets({ runId, fence }))
  if (values === null) return null
  // Only what the delivery named went through this machine's policy.
  const named = Object.entries(values).filter(([name]) => agent.secretNames.includes(name))
  return Object.fromEntries(named)
}

async function bringSkills(life: RunLife, { agent }: PushedDelivery, folder: string): Promise<void> {
  const { runId, fence } = life.lease
  const synced: SyncedSkills = await syncSkills(folder, agent.skills, async () => {
    const { skills } = await life.answered(() => life.context.calls.skills({ runId, fence }))
    return skills ?? []
  })
  if (synced.kept.length > 0)
    life.logger.warn({ skills: synced.kept }, 'Skills that somebody changed here were left as they are.')
}
