import type { DeliveryId, PushedDelivery, RunId, SettleReport } from '@baton/protocol'

/** What the runner must still know after a crash, in the order in which it happened to a run. */
export type JournalRecord =
  | { kind: 'accepted'; delivery: PushedDelivery }
  | { kind: 'started'; runId: RunId }
  | { kind: 'finished'; settle: SettleReport }
  /** Nothing more is owed for this run; its records are forgotten at the next compaction. */
  | { kind: 'closed'; deliveryId: DeliveryId; runId: RunId; why: string }

export function runOfRecord(record: JournalRecord): string {
  if (record.kind === 'accepted') return record.delivery.runId
  if (record.kind === 'finished') return record.settle.runId
  return record.runId
}
