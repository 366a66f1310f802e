import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = new URL('fixtures/claude-2.1.328/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
const index: Record<string, { exit: object }> = JSON.parse(read('index.json'))

test('every recorded situation has its transcript, and every line of it is JSON with a type', () => {
  const recorded = transcripts
    .filter((name) => !name.endsWith('.stdin.jsonl'))
    .map((name) => name.slice(0, -6))
  expect(recorded.toSorted()).toEqual(Object.keys(index).toSorted())
  for (const line of transcripts.flatMap((name) => read(name).split('\n')).filter(Boolean)) {
    expect(JSON.parse(line)).toHaveProperty('type')
  }
})

test.each(transcripts)('%s holds nothing of the machine on which it was recorded', (name) => {
  expect(read(name)).not.toMatch(
    /baton-fixture|(?<!\/home\/dev)\/tmp\/|\/root\b|\/work\b|127\.0\.0\.1:(?!8089|9\b)/,
  )
})
