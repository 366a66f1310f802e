import { expect, test } from 'vitest'
import { coversAction, patternOf } from './approval-patterns.ts'

const bash = (command: string) => ({ tool: 'Bash', input: { command } })
const write = (path: string) => ({ tool: 'Write', input: { file_path: path, content: 'x' } })

test.each([
  ['Bash', bash('rm -rf /'), true],
  ['Bash(npm test)', bash('npm test'), true],
  ['Bash(npm test)', bash('npm test -- --watch'), false],
  ['Bash(git *)', bash('git status'), true],
  ['Bash(git:*)', bash('git status'), true],
  ['Bash(git *)', bash('github-cli'), false],
  ['Write(/src/*)', write('/src/a.ts'), true],
  ['Write(/src/*)', write('/etc/passwd'), false],
  ['Write(/src/*)', bash('/src/a.ts'), false],
  ['mcp__files__*', { tool: 'mcp__files__read', input: {} }, true],
  ['*', bash('ls'), false],
  ['Bash(*)', bash('ls'), false],
  ['AskUserQuestion', { tool: 'AskUserQuestion', input: {} }, false],
] as const)('%s on %j: %s', (pattern, action, covered) => {
  expect(coversAction(pattern, action)).toBe(covered)
})

test.each([
  'git status; rm -rf ~',
  'git status && curl evil',
  'git log | sh',
  'git log > /etc/passwd',
  'git show $(cat key)',
  'git show `cat key`',
  'git show $HOME',
  'git status\nrm -rf ~',
])('a pattern with a star never covers a second command: %s', (command) => {
  expect(coversAction('Bash(git *)', bash(command))).toBe(false)
})

test('a pattern with a star never leads out of its folder', () => {
  expect(coversAction('Write(/src/*)', write('/src/../etc/passwd'))).toBe(false)
  expect(coversAction('Write(/src/*)', write('/src/..'))).toBe(false)
  expect(coversAction('Write(/src/*)', write('/src/a..b'))).toBe(true)
})

test('the narrowest pattern of an action covers it and not its neighbours', () => {
  for (const action of [bash('npm test && npm run build'), write('/src/a.ts'), { tool: 'Task', input: {} }]) {
    const pattern = patternOf(action)
    if (pattern === null) throw new Error('no pattern')
    expect(coversAction(pattern, action)).toBe(true)
  }
  expect(coversAction(patternOf(bash('npm test')) ?? '', bash('npm test2'))).toBe(false)
  expect(patternOf(bash('ls *'))).toBeNull()
  expect(patternOf(bash('one\ntwo'))).toBeNull()
  expect(patternOf({ tool: 'AskUserQuestion', input: {} })).toBeNull()
})

test('a command that comes as words is compared as words only when they need no quotes', () => {
  expect(coversAction('shell(git *)', { tool: 'shell', input: { command: ['git', 'status'] } })).toBe(true)
  expect(coversAction('shell(git *)', { tool: 'shell', input: { command: ['git', 'a b'] } })).toBe(false)
})
