import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parseJsonBody } from '@baton/webhooks'
import { expect, test } from 'vitest'
import { readEvent, readNames } from './read-event.ts'

const file = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json')
const published = JSON.parse(readFileSync(file, 'utf8')) as { name: string; examples: object[] }[]

test('everything that GitHub published is read, and has an actor where a trigger can listen to it', () => {
  const read = new Map<string, number>()
  let count = 0
  for (const { name, examples } of published) {
    for (const example of examples) {
      count += 1
      const json = parseJsonBody(Buffer.from(JSON.stringify({ installation: { id: 1 }, ...example })))
      const subject = readEvent(name, json.ok ? json.value : null)
      expect(Object.keys(readNames(example))).toEqual(['action', 'installationId', 'repository'])
      if (!subject) continue
      read.set(subject.event, (read.get(subject.event) ?? 0) + 1)
      expect(subject.actors.length).toBeGreaterThan(0)
      expect(subject.repository.fullName).toMatch(/^[\w.-]+\/[\w.-]+$/)
    }
  }
  expect(count).toBeGreaterThan(300)
  expect([...read.keys()].toSorted()).toEqual([
    'check_run',
    'issue_comment',
    'issues',
    'label',
    'pull_request',
    'pull_request_review_comment',
    'push',
    'release',
    'workflow_run',
  ])
})

test.each([null, 1, 'x', [], {}, { sender: 1 }, { repository: { id: 'x' }, sender: {}, installation: {} }])(
  'the body %j is nobody’s event',
  (payload) => {
    for (const name of [
      'push',
      'issues',
      'issue_comment',
      'pull_request',
      'check_run',
      'workflow_run',
      'release',
    ])
      expect(readEvent(name, payload)).toBeNull()
  },
)

test('a deleted branch and a tag fire nothing', () => {
  const base = {
    installation: { id: 1 },
    repository: { id: 2, full_name: 'a/b' },
    sender: { id: 3, login: 'ada', type: 'User' },
  }
  expect(readEvent('push', { ...base, ref: 'refs/tags/v1', commits: [] })).toBeNull()
  expect(readEvent('push', { ...base, ref: 'refs/heads/x', deleted: true, commits: [] })).toBeNull()
})
