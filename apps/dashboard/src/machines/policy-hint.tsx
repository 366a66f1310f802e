import type { MachinePolicy, PermissionMode } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { PERMISSION_WORDS } from '../agents/agent-words.ts'
import { useApi } from '../api/api-context.ts'
import { machinesQuery } from '../api/queries.ts'

/** What the owner of a machine allows there; null while it is not known. */
export function useMachinePolicy(machineId: string | undefined): MachinePolicy | null {
  const { client } = useApi()
  const machines = useQuery(machinesQuery(client))
  return machines.data?.find(({ id }) => id === machineId)?.policy ?? null
}

/** Says at the field when the machine would refuse what is chosen: its own policy file has the last word. */
export function ModeHint({ policy, mode }: { policy: MachinePolicy | null; mode: PermissionMode }) {
  if (policy === null) return 'The machine’s own policy file has the last word.'
  if (policy.permissionModes.includes(mode)) return 'The policy of its machine allows this.'
  const allowed = policy.permissionModes.map((one) => PERMISSION_WORDS[one]).join(', or ')
  return (
    <span className="text-warn">
      ▲ Its machine would refuse every run: its policy allows agents only to {allowed || 'do nothing'}. The
      owner of that machine can change it in its policy file.
    </span>
  )
}

/** Where agents may work on that machine, to be read where a folder is typed. */
export function FolderHint({ policy, words }: { policy: MachinePolicy | null; words: string }) {
  return (
    <>
      {words}
      {policy !== null && (
        <>
          {' '}
          Its machine allows <code className="font-mono">{policy.folders.join(', ') || 'no folder'}</code>.
        </>
      )}
    </>
  )
}
