import { type AgentIsolation, TRUST_LEVELS, type Trust } from '@baton/protocol'
import { z } from 'zod'

export const ISOLATION_KINDS = ['host', 'bubblewrap', 'container'] as const

/** What the owner of this computer lets be asked for about where agents run. */
export const isolationPolicy = z.strictObject({
  allow: z.array(z.enum(ISOLATION_KINDS)).default([...ISOLATION_KINDS]),
  /** Images that containers may be made from: whole names, or beginnings that end with `*`. */
  images: z.array(z.string().min(1)).default([]),
  networks: z.array(z.string().min(1)).default(['none', 'bridge']),
  maxMemoryMb: z.number().int().min(64).nullable().default(null),
  maxCpus: z.number().min(0.1).nullable().default(null),
  /** Runs of these start in a sandbox or container, or not at all. */
  requireFor: z.array(z.enum(TRUST_LEVELS)).default([]),
})
export type IsolationPolicy = z.output<typeof isolationPolicy>

/** Why this machine's policy does not allow it, or null. */
export function isolationProblem(
  policy: IsolationPolicy,
  isolation: AgentIsolation,
  trust: Trust,
): string | null {
  const { kind } = isolation
  if (kind === 'host' && policy.requireFor.includes(trust)) {
    const whose = trust === 'public' ? 'runs that public events start' : 'all runs'
    return `This machine's policy requires a sandbox or a container for ${whose}: change the agent's isolation.`
  }
  if (!policy.allow.includes(kind))
    return `This machine's policy does not allow agents with the isolation "${kind}" (allowed: ${policy.allow.join(', ') || 'none'}).`
  return isolation.kind === 'container' ? containerProblem(policy, isolation) : null
}

function containerProblem(
  policy: IsolationPolicy,
  { image, network, memoryMb, cpus }: Extract<AgentIsolation, { kind: 'container' }>,
): string | null {
  const isNamed = policy.images.some((one) =>
    one.endsWith('*') ? image.startsWith(one.slice(0, -1)) : image === one,
  )
  if (!isNamed)
    return `This machine's policy names no image ${image} (allowed: ${policy.images.join(', ') || 'none'}). Add it to "isolation.images" there.`
  if (!policy.networks.includes(network))
    return `This machine's policy does not allow the network "${network}" for containers (allowed: ${policy.networks.join(', ') || 'none'}).`
  if (policy.maxMemoryMb !== null && memoryMb > policy.maxMemoryMb)
    return `This machine's policy allows containers ${policy.maxMemoryMb} MiB of memory, not ${memoryMb}.`
  if (policy.maxCpus !== null && cpus > policy.maxCpus)
    return `This machine's policy allows containers ${policy.maxCpus} CPUs, not ${cpus}.`
  return null
}
