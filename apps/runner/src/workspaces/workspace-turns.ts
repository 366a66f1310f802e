export type WorkspaceTurns = {
  /** Takes the folder for a run. Returns the run that has it when that is another one, else null. */
  take(folder: string, runId: string): string | null
  /** Gives back whatever the run has. */
  leave(runId: string): void
}

/** One run at a time in each folder. The relay sees to it too; this is the last guard, by real path. */
export function createWorkspaceTurns(): WorkspaceTurns {
  const holders = new Map<string, string>()
  return {
    take(folder, runId) {
      const holder = holders.get(folder)
      if (holder !== undefined && holder !== runId) return holder
      holders.set(folder, runId)
      return null
    },
    leave(runId) {
      for (const [folder, holder] of holders) if (holder === runId) holders.delete(folder)
    },
  }
}
