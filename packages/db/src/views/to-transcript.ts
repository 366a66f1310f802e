import type { RunId, Transcript } from '@baton/protocol'

/**
 * The certificate of a transcript. Stored events are contiguous from 1 (the append statement sees to that), so what can
 * be missing is the end; the rolling hash proves the rest.
 */
export function toTranscript(row: {
  run_id: RunId
  last_seq: number | null
  last_hash: string | null
  final_seq: number | null
  final_hash: string | null
}): Transcript {
  const events = row.last_seq ?? 0
  const base = { events, expected: row.final_seq, hash: row.last_hash ?? '', expectedHash: row.final_hash }
  if (row.final_seq === null) {
    return { ...base, complete: false, missing: [], sentence: `${count(events)} so far.` }
  }
  if (events < row.final_seq) {
    const missing = [{ from: events + 1, to: row.final_seq }]
    const sentence = `Partial: events ${events + 1} to ${row.final_seq} are missing; the machine sends them when it can.`
    return { ...base, complete: false, missing, sentence }
  }
  if (row.last_hash !== row.final_hash) {
    return {
      ...base,
      complete: false,
      missing: [],
      sentence: 'The transcript differs from what the machine recorded.',
    }
  }
  return {
    ...base,
    complete: true,
    missing: [],
    sentence: `Complete, ${events} of ${row.final_seq}, hash ${row.last_hash?.slice(0, 12)}.`,
  }
}

const count = (events: number) => `${events} ${events === 1 ? 'event' : 'events'}`
