import { transcriptHash } from '@baton/protocol/transcript-hash'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { type RunningDev, startDev } from './support/start-dev.ts'

const LINES = 300

test('kill -9 of relay, runner and database in turn during a run ends with every line once', {
  timeout: 180_000,
}, async () => {
  await using dev = await startDev()
  const run = await dev.baton.runs.create({ agent: 'demo', prompt: `@demo lines ${LINES} 100` })
  const lines: string[] = []
  const killed: string[] = []
  const parts = { 30: 'relay', 100: 'runner', 180: 'postgres' } as const
  for await (const event of run.events()) {
    if (event.type !== 'message') continue
    lines.push(event.text)
    const part = parts[lines.length as keyof typeof parts]
    if (part) killed.push(await killOne(dev, part))
  }
  expect(killed).toEqual(['relay', 'runner', 'postgres'])
  expect(lines).toEqual(Array.from({ length: LINES }, (_, index) => `line ${index + 1}`))
  const view = await run.result()
  expect(view).toMatchObject({ status: 'done', attempt: 1, transcript: { complete: true, missing: [] } })
  expect(await hashOf(dev, run.id)).toBe(view.transcript.expectedHash)
})

async function killOne(dev: RunningDev, part: 'relay' | 'runner' | 'postgres'): Promise<string> {
  const [pid] = (await dev.find(part)).sort((a, b) => a - b)
  if (pid === undefined) throw new Error(`no ${part} runs`)
  process.kill(pid, 'SIGKILL')
  await eventually(async () => expect(await dev.find(part)).not.toContain(pid))
  return part
}

/** The transcript as the relay has it, hashed here. */
async function hashOf(dev: RunningDev, id: string): Promise<string> {
  const texts: string[] = []
  for (let fromSeq = 1; ; ) {
    const page = await dev.baton.transcript(id, { fromSeq, limit: 100 })
    texts.push(...page.events.map((event) => event.text))
    fromSeq = (page.events.at(-1)?.seq ?? page.lastSeq) + 1
    if (page.events.length === 0 || fromSeq > page.lastSeq) return transcriptHash(id, texts)
  }
}
