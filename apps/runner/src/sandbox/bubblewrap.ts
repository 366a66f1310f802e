import { join } from 'node:path'

export type BubblewrapPlan = {
  cwd: string
  network: boolean
  /** Kept from the agent's eyes: an empty folder stands in their place. */
  hidden: readonly string[]
  /** What stays writable, and what can be read although it lies in something hidden. All must exist. */
  writable: readonly string[]
  readable: readonly string[]
  /** Read-only although it lies in something writable. */
  fixed: readonly string[]
}

/**
 * The arguments of bwrap before the command. The whole file system is there and cannot be written; /tmp, /run and what is
 * hidden are empty; then what the run needs is put back. Processes see only themselves, end with bwrap, and get no new
 * privileges (bwrap sees to that by itself). Order matters: later ones lie over earlier ones.
 */
export function bubblewrapArguments(plan: BubblewrapPlan): string[] {
  const args = ['--die-with-parent', '--new-session', '--unshare-pid', '--unshare-ipc', '--unshare-uts']
  args.push('--unshare-cgroup-try', '--cap-drop', 'ALL')
  if (!plan.network) args.push('--unshare-net')
  args.push('--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/run')
  // Names are looked up through it where /etc/resolv.conf leads there.
  args.push('--ro-bind-try', '/run/systemd/resolve', '/run/systemd/resolve')
  for (const folder of plan.hidden) args.push('--tmpfs', folder)
  for (const path of plan.readable) args.push('--ro-bind', path, path)
  for (const path of plan.writable) args.push('--bind', path, path)
  for (const path of plan.fixed) args.push('--ro-bind', path, path)
  args.push('--chdir', plan.cwd, '--')
  return args
}

/** Folders of a home that hold keys of other things than the agent's own login. */
export function secretFolders(home: string): string[] {
  return [
    '.ssh',
    '.gnupg',
    '.aws',
    '.azure',
    '.kube',
    '.docker',
    '.config/gcloud',
    '.config/gh',
    '.password-store',
  ].map((name) => join(home, name))
}
