import { useApi } from '../api/api-context.ts'
import { shellWord } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'

/** A machine's key, shown this once, and what to do with it on that computer. */
export function MachineKey({ machineKey }: { machineKey: string }) {
  const { origin } = useApi()
  return (
    <div className="space-y-4">
      <div className="space-y-2">
        <p className="font-medium">1. On that computer, paste this line</p>
        <CopyLine text={`npx baton up --server ${shellWord(origin)} --key-stdin`} />
      </div>
      <div className="space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 p-3">
        <p className="font-medium">2. Then paste its key and press Enter, then Ctrl-D. It is shown once.</p>
        <CopyLine text={machineKey} />
        <p className="text-[13px] text-soft">
          The key never goes on the command line itself: there it would stand in the shell’s history and in
          the list of processes.
        </p>
      </div>
    </div>
  )
}
