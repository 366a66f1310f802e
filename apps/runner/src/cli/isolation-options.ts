import { type AgentIsolation, agentIsolation, BatonError } from '@baton/protocol'
import type { Policy } from '../config/policy.ts'

export type IsolationOptions = {
  sandbox?: string
  container?: string
  engine?: string
  memory?: string
  cpus?: string
  pids?: string
  network?: string
}

/** Where an agent shall run, or undefined when no option says. */
export function readIsolation(options: IsolationOptions): AgentIsolation | undefined {
  const { sandbox, container, network } = options
  if (sandbox !== undefined && container !== undefined)
    throw new BatonError('bad_input', 'Give --sandbox or --container, not both.')
  if (container !== undefined) return parse(containerOf(container, options))
  const ofContainer = (['engine', 'memory', 'cpus', 'pids'] as const).find(
    (name) => options[name] !== undefined,
  )
  if (ofContainer)
    throw new BatonError('bad_input', `--${ofContainer} is for a container: give --container <image>.`)
  if (sandbox === undefined && network === undefined) return undefined
  if (sandbox === 'none') return { kind: 'host' }
  if (sandbox !== 'bubblewrap')
    throw new BatonError('bad_input', `--sandbox ${sandbox ?? '(missing)'}: choose from none, bubblewrap.`)
  if (network !== undefined && network !== 'none')
    throw new BatonError(
      'bad_input',
      `--network ${network}: a sandbox has the network of its machine, or none.`,
    )
  return { kind: 'bubblewrap', network: network !== 'none' }
}

function containerOf(image: string, { engine, memory, cpus, pids, network }: IsolationOptions) {
  return {
    kind: 'container',
    image,
    ...(engine === undefined ? {} : { engine }),
    ...(memory === undefined ? {} : { memoryMb: readMemory(memory) }),
    ...(cpus === undefined ? {} : { cpus: Number(cpus) }),
    ...(pids === undefined ? {} : { pids: Number(pids) }),
    ...(network === undefined ? {} : { network }),
  }
}

function readMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(m|mb|mib|g|gb|gib)?$/i.exec(text)
  if (!match) throw new BatonError('bad_input', `--memory ${text}: give a size like 4g or 512m.`)
  return Math.round(Number(match[1]) * (match[2]?.toLowerCase().startsWith('g') ? 1_024 : 1))
}

function parse(value: object): AgentIsolation {
  const parsed = agentIsolation.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new BatonError('bad_input', `--${issue?.path.join('.') || 'container'}: ${issue?.message}`)
}

/** The image of a container is allowed on this machine by whoever makes an agent of it here. */
export function allowIsolation(policy: Policy, isolation: AgentIsolation): Policy {
  if (isolation.kind !== 'container' || policy.isolation.images.includes(isolation.image)) return policy
  const images = [...policy.isolation.images, isolation.image]
  return { ...policy, isolation: { ...policy.isolation, images } }
}

export function isolationText(isolation: AgentIsolation): string {
  if (isolation.kind === 'host') return 'no sandbox'
  if (isolation.kind === 'bubblewrap') return `bubblewrap, ${isolation.network ? 'with' : 'without'} network`
  const { image, memoryMb, cpus, pids, network } = isolation
  return `a container of ${image} (${memoryMb} MiB, ${cpus} CPUs, ${pids} processes, network ${network})`
}
