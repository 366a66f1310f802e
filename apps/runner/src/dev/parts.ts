type Part = { stop(): Promise<void> }

/** What runs, in the order of its start. Stopping walks it backwards. */
export type Parts = {
  /** A part that comes after the stop is stopped at once, and whoever starts them is told by an error to give up. */
  add<T extends Part>(part: T): Promise<T>
  /** What does not stop is said and does not keep the others from stopping. */
  stop(say: (line: string) => void): Promise<void>
}

export function createParts(): Parts {
  const running: Part[] = []
  let isStopped = false
  return {
    async add(part) {
      if (isStopped) {
        await part.stop()
        throw new Error('Stopped while starting.')
      }
      running.push(part)
      return part
    },
    async stop(say) {
      isStopped = true
      for (const part of running.toReversed()) {
        await part
          .stop()
          .catch((error: unknown) =>
            say(`A part did not stop: ${error instanceof Error ? error.message : String(error)}`),
          )
      }
    },
  }
}
