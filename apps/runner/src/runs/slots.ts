import type { Logger } from '@baton/service'
import type { Connection } from '../connection/connection.ts'

export type Slots = {
  /** What is free now, told to the relay when a session opens. */
  opened(): number
  /** The relay has used up credits for this many deliveries. */
  pushed(count: number): void
  /** Something ended or was refused: offers what is free and the relay does not know of. */
  offerFree(): void
}

/**
 * Keeps the credits that the relay has for this session equal to the slots that are free. When an offer's outcome is
 * unknown the session is opened again, which tells the true number.
 */
export function createSlots(
  connection: Pick<Connection, 'call' | 'reopenSession' | 'state'>,
  free: () => number,
  logger: Logger,
): Slots {
  let credits = 0
  let offering = false

  async function offer() {
    offering = true
    try {
      for (let more = free() - credits; more > 0; more = free() - credits) {
        credits += more
        await connection.call('offer', { slots: more })
      }
    } catch (error) {
      logger.debug({ error }, 'An offer was not answered.')
      connection.reopenSession()
    } finally {
      offering = false
    }
  }

  return {
    opened() {
      credits = free()
      return credits
    },
    pushed(count) {
      credits -= count
    },
    offerFree() {
      const { state, via } = connection.state()
      if (!offering && state === 'online' && via === 'websocket' && free() > credits) void offer()
    },
  }
}
