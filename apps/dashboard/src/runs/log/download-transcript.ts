import type { Client } from '../../api/client.ts'

const PAGE_EVENTS = 1_000

/** Saves every stored event as one line of JSON with its number, exactly as it is stored and hashed. */
export async function downloadTranscript(client: Client, runId: string): Promise<void> {
  const parts: string[] = []
  let fromSeq = 1
  for (;;) {
    const page = await client.runs.transcript.query({ id: runId, fromSeq, limit: PAGE_EVENTS })
    for (const { seq, text } of page.events) parts.push(`{"seq":${seq},"event":${text}}\n`)
    const last = page.events.at(-1)?.seq
    if (last === undefined || last >= page.lastSeq) break
    fromSeq = last + 1
  }
  save(new Blob(parts, { type: 'application/x-ndjson' }), `${runId}.ndjson`)
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
