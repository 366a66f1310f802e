import { createHash } from 'node:crypto'

/**
 * The rolling hash of a transcript: h(0) = sha256(run id), h(n) = sha256(h(n-1) bytes, then the n-th event's text as
 * UTF-8). Runner and relay each compute it; equal final hashes prove equal transcripts. In hex.
 */
export function transcriptStart(runId: string): string {
  return createHash('sha256').update(runId).digest('hex')
}

export function transcriptStep(previous: string, eventText: string): string {
  return createHash('sha256').update(Buffer.from(previous, 'hex')).update(eventText, 'utf8').digest('hex')
}

export function transcriptHash(runId: string, eventTexts: Iterable<string>): string {
  let hash = transcriptStart(runId)
  for (const text of eventTexts) hash = transcriptStep(hash, text)
  return hash
}
