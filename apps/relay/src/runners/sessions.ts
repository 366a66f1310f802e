import { type Db, openMachineSession } from '@baton/db'
import { BatonError, type MachineId, type OrganizationId } from '@baton/protocol'
import { createPollLoop, type Logger, type Service } from '@baton/service'
import type { PlannedDelivery } from '../jobs/plan-delivery.ts'
import type { Hints } from '../live/hints.ts'
import { readDeliveryHint } from './delivery-hint.ts'
import { createSession, type Reservation, type Session } from './session.ts'

export type RunnerSessions = Service & {
  /** Opens the machine's newest session here; the one before it ends. */
  open(place: {
    machineId: MachineId
    organizationId: OrganizationId
    instanceId: string
    slots: number
    watchesVersion?: string
  }): Promise<Session>
  get(machineId: MachineId): Session | undefined
  /** Ends a session that was opened here, if it is still the newest. */
  close(session: Session, reason: string): void
  /** Holds a slot of the machine's session for a delivery that is about to be inserted; null: let it be pending. */
  reserve(delivery: PlannedDelivery): Reservation | null
  count(): number
  /** The machines that are connected here. */
  machines(): MachineId[]
}

/** How often each connected machine is looked at although nobody gave a hint: for delays that ended and hints that got lost. */
const LOOK_EVERY_MS = 5_000

/** The runners that are connected to this relay. */
export function createRunnerSessions(db: Db, hints: Hints, log: Logger): RunnerSessions {
  const sessions = new Map<MachineId, Session>()
  const wakeAll = () => {
    for (const session of sessions.values()) session.wake()
  }
  const look = createPollLoop({
    everyMs: LOOK_EVERY_MS,
    jitter: 0.2,
    run: async () => wakeAll(),
    onError: (error) => log.error({ error }, 'waking the sessions failed'),
  })
  const stopHearing = [
    hints.on('machine', (machineId) => sessions.get(machineId as MachineId)?.wake()),
    hints.on('delivery', (key) => {
      const { machineId, ...delivery } = readDeliveryHint(key)
      void sessions.get(machineId)?.offered(delivery)
    }),
    hints.on('cancel', (machineId) => sessions.get(machineId as MachineId)?.lookForCancels()),
    hints.on('control', (machineId) => sessions.get(machineId as MachineId)?.lookForControls()),
    hints.on('revoked', (machineId) => sessions.get(machineId as MachineId)?.close('the key was revoked')),
    hints.on('config', () => {
      for (const session of sessions.values()) session.agentsChanged()
    }),
    // Whatever a hint could have said may have been said.
    hints.onResync(() => {
      for (const session of sessions.values()) {
        session.agentsChanged()
        session.lookForCancels()
        session.lookForControls()
      }
    }),
  ]

  return {
    async open(place) {
      const opened = await openMachineSession(db, place.machineId, place.instanceId)
      if (!opened) {
        throw new BatonError(
          'session_conflict',
          'Another runner has taken this machine over, or its key was revoked. Stop one of the two runners.',
        )
      }
      sessions.get(place.machineId)?.close('a newer session of this machine was opened')
      const session = createSession(db, place, opened, (error) =>
        log.warn({ error, machine: place.machineId }, 'leasing failed; it is tried again'),
      )
      sessions.set(place.machineId, session)
      return session
    },
    get: (machineId) => sessions.get(machineId),
    close(session, reason) {
      session.close(reason)
      if (sessions.get(session.machineId) === session) sessions.delete(session.machineId)
    },
    reserve: (delivery) => sessions.get(delivery.machineId)?.reserve(delivery) ?? null,
    count: () => sessions.size,
    machines: () => [...sessions.keys()],
    start: () => look.start(),
    async stop() {
      for (const stop of stopHearing) stop()
      for (const session of sessions.values()) session.close('the relay is stopping')
      sessions.clear()
      await look.stop()
    },
  }
}
