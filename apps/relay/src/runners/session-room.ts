import {
  type Db,
  listLiveDeliveries,
  listSessionAgents,
  type OpenedSession,
  type SessionAgent,
} from '@baton/db'
import type { AgentId, DeliveryId, MachineId } from '@baton/protocol'

/** What has to be known of a delivery to say whether there is room for it. */
export type RoomFacts = { id: DeliveryId; agentId: AgentId; lane: string | null }

/**
 * What a session remembers of its machine's agents and of what they work on, so that most deliveries need no statement
 * to be told that there is room for them. Where memory may be behind the database, nobody is told so.
 */
export function createSessionRoom(db: Db, machineId: MachineId, opened: OpenedSession) {
  let agents = byId(opened.agents)
  let live = byId<RoomFacts>(opened.live)
  let liveIsExact = true
  let agentsAreFresh = true

  return {
    /** The agent, when it, its lane and its limits are known to be free for this one. */
    agentFor(delivery: RoomFacts): SessionAgent | null {
      const agent = agents.get(delivery.agentId)
      if (!liveIsExact || !agentsAreFresh || !agent?.takesWork || !agent.canReserve) return null
      return isBusy(delivery, agent) ? null : agent
    },
    take(deliveries: RoomFacts[]) {
      for (const delivery of deliveries) live.set(delivery.id, delivery)
    },
    free(id: DeliveryId) {
      live.delete(id)
    },
    isLive: (id: DeliveryId) => live.has(id),
    /** What is live is not known for sure any more. */
    doubt() {
      liveIsExact = false
    },
    agentsChanged() {
      agentsAreFresh = false
    },
    /** Reads what memory may be behind of. */
    async refresh() {
      // A block ends by time alone, and nobody says so.
      if (!agentsAreFresh || agents.values().some((agent) => agent.mayUnblock)) {
        agentsAreFresh = true
        agents = byId(await listSessionAgents(db, machineId))
      }
      if (!liveIsExact) {
        live = byId<RoomFacts>(await listLiveDeliveries(db, machineId))
        liveIsExact = true
      }
    },
  }

  function isBusy(delivery: RoomFacts, agent: SessionAgent): boolean {
    let ofAgent = 0
    for (const other of live.values()) {
      if (other.lane !== null && other.lane === delivery.lane) return true
      if (other.agentId === agent.id) ofAgent++
    }
    return ofAgent >= agent.maxConcurrent
  }
}

const byId = <Row extends { id: string }>(rows: Row[]) =>
  new Map(rows.map((row) => [row.id as Row['id'], row]))
