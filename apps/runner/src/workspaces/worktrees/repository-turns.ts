export type RepositoryTurns = {
  take<T>(commonDir: string, work: () => Promise<T>): Promise<T>
}

/** git's list of worktrees and its settings are changed by one at a time, in each repository. */
export function createRepositoryTurns(): RepositoryTurns {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take(commonDir, work) {
      const mine = (last.get(commonDir) ?? Promise.resolve()).then(work, work)
      last.set(commonDir, mine)
      try {
        return await mine
      } finally {
        if (last.get(commonDir) === mine) last.delete(commonDir)
      }
    },
  }
}
