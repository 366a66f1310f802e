import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { githubEventMatchesBody } from './index.ts'

interface EventExamples {
  name: string
  examples: unknown[]
}

const gitHub = readExamples('api.github.com')

test("each of GitHub's own examples matches its own name", () => {
  expect(gitHub).toHaveLength(58)
  expect(gitHub.flatMap(({ examples }) => examples)).toHaveLength(329)
  expect(mismatched(gitHub)).toEqual([])
})

test('each example under each other name is refused: 18,753 pairs', () => {
  const pairs = gitHub.flatMap(({ name, examples }) =>
    gitHub
      .filter((other) => other.name !== name)
      .flatMap((other) => examples.map((body) => ({ name, as: other.name, body }))),
  )
  expect(pairs).toHaveLength(18_753)
  expect(
    pairs
      .filter(({ as, body }) => githubEventMatchesBody(as, body))
      .map(({ name, as }) => `${name} as ${as}`),
  ).toEqual([])
})

test.each(['ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'])(
  'each example of %s matches its own name',
  (version) => {
    expect(mismatched(readExamples(version))).toEqual([])
  },
)

test('a field that GitHub adds one day does not cost a true event', () => {
  for (const { name, examples } of gitHub) {
    for (const body of examples)
      expect(githubEventMatchesBody(name, { ...(body as object), brand_new: {} })).toBe(true)
  }
})

test('an event that is not known matches, a known one never matches what is not an object', () => {
  expect(githubEventMatchesBody('some_event_of_2031', {})).toBe(true)
  expect(githubEventMatchesBody('constructor', {})).toBe(true)
  for (const body of [null, undefined, 1, 'push', [], {}])
    expect(githubEventMatchesBody('push', body)).toBe(false)
})

function mismatched(events: EventExamples[]): string[] {
  return events.flatMap(({ name, examples }) =>
    examples.filter((body) => !githubEventMatchesBody(name, body)).map(() => name),
  )
}

function readExamples(version: string): EventExamples[] {
  const main = createRequire(import.meta.url).resolve('@octokit/webhooks-examples')
  return JSON.parse(readFileSync(join(dirname(main), '..', version, 'index.json'), 'utf8'))
}
