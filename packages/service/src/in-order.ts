import { createService, type Service } from './service.ts'

/**
 * Several services as one: started in this order, stopped in the reverse. When one does not start, those before it
 * are stopped again and its error is thrown. A stop that comes meanwhile ends the starting at the next service.
 * Every service gets its stop, also when the stop of another one fails.
 */
export function inOrder(services: readonly Service[]): Service {
  return createService({
    name: 'A list of services',
    start: async (signal) => {
      try {
        for (const service of services) {
          signal.throwIfAborted()
          await service.start()
        }
        signal.throwIfAborted()
      } catch (error) {
        const errors = await stopBackwards(services)
        throw errors.length > 0
          ? new AggregateError([error, ...errors], messageOf(error), { cause: error })
          : error
      }
    },
    stop: async () => {
      const errors = await stopBackwards(services)
      if (errors.length > 0)
        throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'Stopping failed.')
    },
  })
}

/** Those that were never started are told as well: the contract lets them ignore it. */
async function stopBackwards(services: readonly Service[]): Promise<unknown[]> {
  const errors: unknown[] = []
  for (const service of services.toReversed()) {
    await service.stop().catch((error: unknown) => errors.push(error))
  }
  return errors
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
