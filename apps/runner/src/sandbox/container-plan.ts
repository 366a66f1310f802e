import { createHash } from 'node:crypto'
import type { AgentIsolation, Runtime } from '@baton/protocol'
import { CALL_MARK, INSIDE_SCRIPT } from './inside-script.ts'

export type ContainerIsolation = Extract<AgentIsolation, { kind: 'container' }>
export type Mount = { path: string; writable: boolean }

/** Everything that makes one container another than the next. Runs with the same plan share one. */
export type ContainerPlan = {
  installation: string
  agentKey: string
  runtime: Runtime
  isolation: ContainerIsolation
  /** Bound at the same path inside; later ones lie over earlier ones. */
  mounts: readonly Mount[]
  user: string | null
}

export const INSTALLATION_LABEL = 'baton.installation'

/**
 * `baton-<installation>-<agent>-<what it is like>`: the same after a restart, so that the container is found again, and
 * another one when the agent's settings or its folder change.
 */
export function containerName(plan: ContainerPlan): string {
  const { installation, agentKey, ...rest } = plan
  const like = createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 10)
  return `baton-${installation.slice(0, 8)}-${agentKey.replace(/[^a-zA-Z0-9_.-]/g, '-')}-${like}`.toLowerCase()
}

/**
 * Makes the container: it does nothing but wait, and each run is a process inside. Nothing of it can be written but the
 * mounts and /tmp; it has no capabilities, gets no new privileges, and no more memory, time and processes than allowed.
 */
export function runArguments(plan: ContainerPlan, name: string, engine: 'docker' | 'podman'): string[] {
  const { image, memoryMb, cpus, pids, network } = plan.isolation
  const args = ['run', '--detach', '--name', name, '--hostname', 'agent']
  args.push(
    '--label',
    `${INSTALLATION_LABEL}=${plan.installation}`,
    '--label',
    `baton.agent=${plan.agentKey}`,
  )
  args.push('--read-only', '--tmpfs', '/tmp:rw,nosuid,nodev,mode=1777', '--cap-drop', 'ALL')
  args.push('--security-opt', 'no-new-privileges', '--network', network)
  args.push('--memory', `${memoryMb}m`, '--memory-swap', `${memoryMb}m`, '--cpus', String(cpus))
  args.push('--pids-limit', String(pids), '--restart', 'no', '--pull', 'missing')
  if (plan.user !== null) args.push('--user', plan.user)
  // Without it another user than root is somebody else inside, and may not write the workspace.
  if (engine === 'podman' && plan.user !== null && !plan.user.startsWith('0:'))
    args.push('--userns', 'keep-id')
  for (const { path, writable } of plan.mounts) args.push('--mount', mountText(path, writable))
  args.push('--env', `${CALL_MARK}=holder`, '--entrypoint', '/bin/sh', image)
  args.push('-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done')
  return args
}

/** The list is read as a line of CSV. */
function mountText(path: string, writable: boolean): string {
  const field = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const fields = ['type=bind', field(`src=${path}`), field(`dst=${path}`), ...(writable ? [] : ['readonly'])]
  return fields.join(',')
}

/** Variables that say where things are on this machine, which is not where they are inside. */
const NOT_INSIDE =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|XDG_.*|DOCKER_.*|CONTAINER_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_.*)$/

/**
 * Starts a command inside. Of its variables only the names are given; the values are taken from the environment of the
 * engine's client. The home and the folder for temporary files are paths inside and no secret.
 */
export function execArguments(
  name: string,
  command: { cwd: string; home: string; tmp: string; names: readonly string[]; argv: readonly string[] },
): string[] {
  const args = ['exec', '--interactive', '--workdir', command.cwd, '--env', `HOME=${command.home}`]
  for (const one of ['TMPDIR', 'TMP', 'TEMP']) args.push('--env', `${one}=${command.tmp}`)
  for (const one of command.names.toSorted()) if (!NOT_INSIDE.test(one)) args.push('--env', one)
  return [...args, name, ...command.argv]
}

/** Calls the script that ends what is left of a run inside; the signal's name is to be added. */
export function endInsideArguments(name: string, mark: string): string[] {
  return ['exec', '--env', `${CALL_MARK}=end`, name, '/bin/sh', '-c', INSIDE_SCRIPT, 'sh', mark]
}
