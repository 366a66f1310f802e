import { expect, test } from 'vitest'
import { readPushes } from './read-pushes.ts'

const [zero, one, two] = ['0', '1', '2'].map((digit) => digit.repeat(40)) as [string, string, string]

test('what git tells each hook becomes one push for each branch; deletions, tags and noise are none', () => {
  const before = [
    `refs/heads/main ${two} refs/heads/main ${one}`,
    `refs/heads/new ${two} refs/heads/renamed ${zero}`,
    `(delete) ${zero} refs/heads/old ${one}`,
    `refs/tags/v1 ${two} refs/tags/v1 ${zero}`,
    'noise',
    '',
  ]
  expect(readPushes('pre-push', before.join('\n'))).toEqual([
    { ref: 'refs/heads/main', before: one, after: two },
    { ref: 'refs/heads/renamed', before: zero, after: two },
  ])
  const after = [
    `${one} ${two} refs/heads/main`,
    `${one} ${zero} refs/heads/gone`,
    `${zero} ${two} refs/tags/v1`,
  ]
  expect(readPushes('post-receive', after.join('\n'))).toEqual([
    { ref: 'refs/heads/main', before: one, after: two },
  ])
})
