import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const fixtures = new URL('fixtures/', import.meta.url)
const folders = readdirSync(fixtures).filter((name) => name !== 'README.md')

describe.each(folders)('the transcripts of %s', (name) => {
  const folder = new URL(`${name}/`, fixtures)
  const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')
  const transcripts = readdirSync(folder).filter((file) => file.endsWith('.jsonl'))
  const index: Record<string, { exit: object }> = JSON.parse(read('index.json'))

  test('are there for every recorded situation, and every line of them is JSON with a type', () => {
    const recorded = transcripts
      .filter((file) => !file.endsWith('.stdin.jsonl'))
      .map((file) => file.slice(0, -6))
    expect(recorded.toSorted()).toEqual(Object.keys(index).toSorted())
    for (const line of transcripts.flatMap((file) => read(file).split('\n')).filter(Boolean)) {
      expect(JSON.parse(line)).toHaveProperty('type')
    }
  })

  test.each([...transcripts, 'index.json'])(
    '%s holds nothing of the machine on which it was recorded',
    (file) => {
      expect(read(file)).not.toMatch(
        /baton-fixture|(?<!\/home\/dev(?:\/\.gemini)?)\/tmp\/|\/root\b|\/work\b|127\.0\.0\.1:(?!8089|9\b)/,
      )
    },
  )
})
