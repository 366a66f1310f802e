import { expect, test } from 'vitest'
import { readGithubTrigger } from './github-options.ts'

test('the flags become a trigger', () => {
  expect(
    readGithubTrigger({
      on: 'github:issue_comment',
      repo: ['acme/shop'],
      command: '/fix',
      bot: ['12', '13:4'],
      tell: 'comment,pull-request',
    }),
  ).toEqual({
    kind: 'github',
    event: 'issue_comment',
    repositories: ['acme/shop'],
    command: '/fix',
    bots: [{ appId: 12 }, { appId: 13, installationId: 4 }],
    feedback: { reaction: false, comment: true, check: false, resultComment: false, pullRequest: true },
  })
  expect(readGithubTrigger({})).toBeNull()
})

test.each([
  [{ on: 'issue_comment' }, /--on issue_comment/],
  [{ on: 'github:star' }, /--on github:star/],
  [{ repo: ['a/b'] }, /--repo belongs to --on/],
  [{ on: 'github:push', bot: ['x'] }, /--bot x/],
  [{ on: 'github:push', tell: 'shout' }, /--tell shout/],
])('%o is refused with what to write', (options, message) => {
  expect(() => readGithubTrigger(options)).toThrow(message)
})
