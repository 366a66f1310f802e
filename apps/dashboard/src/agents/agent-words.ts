import type { AgentIsolation, AgentView, PermissionMode } from '@baton/protocol'

export const PERMISSION_WORDS: Record<PermissionMode, string> = {
  read_only: 'only read',
  edit: 'edit files in its workspace',
  full: 'do everything without asking',
}

export function isolationWords(isolation: AgentIsolation): string {
  switch (isolation.kind) {
    case 'host':
      return 'none: it runs as the runner does'
    case 'bubblewrap':
      return `light sandbox (bubblewrap), ${isolation.network ? 'with' : 'without'} network`
    case 'container':
      return `container of ${isolation.image}, ${isolation.memoryMb} MiB, ${isolation.cpus} CPUs, network ${isolation.network}`
  }
}

/** What an agent runs: "claude, opus", "command demo". */
export function runtimeWords({ runtime, command, model }: AgentView): string {
  return [command === null ? runtime : `${runtime} ${command}`, model].filter(Boolean).join(', ')
}
