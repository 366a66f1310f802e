import type { AgentId, Budget, LeaseRef, SettleReport, Usage } from '@baton/protocol'
import {
  deliveryRow,
  leaseSome,
  newTestId,
  refOf,
  reportOf,
  settleReports,
  startLeased,
  usePlace,
  useTestDatabase,
} from '@baton/testkit'
import { type DeliveryRules, listAgentViews, sql, updateAgent } from '../../src/index.ts'

/** When the machine of these tests sends its reports, by its own clock, which is far off. */
export const SENT_AT = 1_000_000

/** How a run ended, in the middle of what `SENT_AT` calls now. */
export const report = (ref: LeaseRef, only: Partial<SettleReport> = {}): SettleReport =>
  reportOf(ref, {
    result: null,
    startedAt: SENT_AT - 500,
    firstOutputAt: SENT_AT - 400,
    finishedAt: SENT_AT - 100,
    ...only,
  })

export const failed = (errorKind: SettleReport['errorKind'], only: Partial<SettleReport> = {}) => ({
  state: 'failed' as const,
  outcome: 'error' as const,
  errorKind,
  message: `It said ${errorKind}.`,
  ...only,
})

export const used = (inputTokens: number, costUsd: number | null, model: string | null = 'big'): Usage => ({
  inputTokens,
  outputTokens: 10,
  cachedTokens: 5,
  costUsd,
  model,
})

export const budget = (only: Partial<Budget>): Budget => ({
  runUsd: null,
  runTokens: null,
  dayUsd: null,
  dayTokens: null,
  ...only,
})

/** Today, for sums of usage. */
export const today = (by: 'agent' | 'job' | 'model' | 'day' | 'machine') => {
  const day = new Date().toISOString().slice(0, 10)
  return { by, since: day, until: day }
}

export const inMs = (at: Date | null) => (at?.getTime() ?? 0) - Date.now()

/** A test database and a place in it whose agent has an account, a budget and conversations. */
export function useAccountPlace() {
  const database = useTestDatabase()
  const place = usePlace(database)
  const lease = (slots = 10) => leaseSome(database.db, place, slots)
  const agentRow = (id: AgentId = place.agentId) =>
    database.db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  return {
    database,
    place,
    lease,
    agentRow,
    row: (id: string) => deliveryRow(database.db, id),
    change: (text: string) => sql.raw(text).execute(database.db),
    viewOf: async (id: AgentId = place.agentId) =>
      (await listAgentViews(database.db, place.organizationId, { idOrKey: id }))[0],
    conversationRules: (conversation: string | null): DeliveryRules => ({
      priority: 0,
      delayMs: 0,
      ttlMs: null,
      stallMs: null,
      concurrencyKey: conversation && `conversation:${place.agentId}:${conversation}`,
      concurrencyLimit: conversation === null ? null : 1,
      overlap: 'queue',
      overlapKey: null,
      conversation,
    }),
    setBudget: (only: Partial<Budget> | null) =>
      updateAgent(database.db, place.organizationId, place.agentId, { budget: only && budget(only) }),

    /** The next delivery as a running run in a folder. */
    run: async (folder = '/w') => {
      const [leased] = await lease(1)
      if (!leased) throw new Error('Nothing was leased.')
      await startLeased(database.db, place, [refOf(leased)], folder)
      return { ...refOf(leased), leased }
    },

    settle: (...reports: SettleReport[]) => settleReports(database.db, place, reports, { sentAt: SENT_AT }),

    /** Another agent on the same machine. */
    otherAgent: async (only: Record<string, unknown> = {}): Promise<AgentId> => {
      const id = newTestId('agent')
      const made = { ...(await agentRow()), id, key: id.slice(-8), ...only, created_at: new Date() }
      await database.db
        .insertInto('agents')
        .values(made as never)
        .execute()
      return id
    },
  }
}
