import { type GithubTriggerConfig, githubTriggerConfig } from '@baton/protocol'
import { expect, test } from 'vitest'
import { mismatchOf } from './match-trigger.ts'
import { type GithubSubject, readEvent } from './read-event.ts'

const APP = { id: 'gha_1', slug: 'baton-acme' }
const config = (only: Record<string, unknown>): GithubTriggerConfig => githubTriggerConfig.parse(only)

function comment(body: string, only: Partial<GithubSubject> = {}): GithubSubject {
  const subject = readEvent('issue_comment', {
    action: 'created',
    installation: { id: 1 },
    repository: { id: 2, full_name: 'Acme/Shop', default_branch: 'main' },
    sender: { id: 3, login: 'Ada', type: 'User' },
    issue: { number: 7, title: 'It breaks', body: '', labels: [{ name: 'bug' }] },
    comment: { id: 4, body, user: { id: 3, login: 'Ada', type: 'User' } },
  })
  if (!subject) throw new Error('unread')
  return { ...subject, ...only }
}

const fires = (only: Record<string, unknown>, subject: GithubSubject) =>
  mismatchOf(config({ event: subject.event, ...only }), subject, APP) === null

test.each([
  ['/fix', true],
  ['/fix the button', true],
  ['  /FIX now', true],
  ['\n\n/fix', true],
  ['/fixed', false],
  ['please /fix', false],
  ['> /fix', false],
  ['```\n/fix\n```', false],
  ['\u200b/fix', true],
  ['', false],
])('the command in %j: %s', (body, expected) => {
  expect(fires({ command: '/fix' }, comment(body))).toBe(expected)
})

test.each([
  ['@baton-acme please', true],
  ['hey @Baton-Acme[bot]: look', true],
  ['(@baton-acme)', true],
  ['@baton-acme-two', false],
  ['mail@baton-acme', false],
  ['> @baton-acme', false],
  ['~~~\n@baton-acme\n~~~', false],
])('the mention in %j: %s', (body, expected) => {
  expect(fires({ mention: true }, comment(body))).toBe(expected)
})

test.each([
  [{ repositories: ['acme/*'] }, true],
  [{ repositories: ['other/*'] }, false],
  [{ actors: ['ADA'] }, true],
  [{ actors: ['eve'] }, false],
  [{ labels: ['bug'] }, true],
  [{ labels: ['feature*'] }, false],
  [{ actions: ['edited'] }, false],
  [{ app: 'baton-acme' }, true],
  [{ app: 'another' }, false],
])('%o: %s', (only, expected) => {
  expect(fires(only, comment('x'))).toBe(expected)
})

test('branches and paths of a push', () => {
  const push = readEvent('push', {
    ref: 'refs/heads/release/1',
    after: 'a'.repeat(40),
    installation: { id: 1 },
    repository: { id: 2, full_name: 'acme/shop' },
    sender: { id: 3, login: 'ada', type: 'User' },
    commits: [{ id: 'a', message: 'm', added: ['src/a/b.ts'], modified: [], removed: ['guide/x.md'] }],
  }) as GithubSubject
  expect(fires({ branches: ['release/*'] }, push)).toBe(true)
  expect(fires({ branches: ['main'] }, push)).toBe(false)
  expect(fires({ paths: ['src/**'] }, push)).toBe(true)
  expect(fires({ paths: ['guide/*.md'] }, push)).toBe(true)
  expect(fires({ paths: ['src/*.ts'] }, push)).toBe(false)
})

test.each([
  [{ event: 'issues', paths: ['a'] }, /changed files/],
  [{ event: 'push', command: '/fix' }, /no text/],
  [{ event: 'issue_comment', branches: ['main'] }, /no branch/],
  [{ event: 'issue_comment', command: 'fix' }, /like \/fix/],
  [{ event: 'star' }, /Invalid option/],
  [{ event: 'push', repositories: ['[a-z]+'] }, /plain text/],
  [{ event: 'push', unknown: true }, /Unrecognized/],
])('%o is never saved', (only, message) => {
  expect(() => config(only)).toThrow(message)
})
