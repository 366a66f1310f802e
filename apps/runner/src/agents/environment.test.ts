import { expect, test } from 'vitest'
import { agentEnvironment } from './environment.ts'

const terminal = {
  PATH: '/bin',
  HOME: '/home/dev',
  LC_ALL: 'C.UTF-8',
  HTTPS_PROXY: 'http://proxy',
  ANTHROPIC_API_KEY: 'a',
  OPENAI_API_KEY: 'o',
  GITHUB_TOKEN: 'g',
  AWS_SECRET_ACCESS_KEY: 's',
  BATON_TOKEN: 'b',
  BATON_SECRET: 'b',
  CLAUDECODE: '1',
  IS_SANDBOX: '1',
  NOTHING: undefined,
}
const names = (runtime: 'claude' | 'codex' | 'command', environment: string[] = []) =>
  Object.keys(agentEnvironment(terminal, runtime, { environment })).sort()

test('an agent sees the base and the login of its own runtime, and no other secret', () => {
  const base = ['HOME', 'HTTPS_PROXY', 'LC_ALL', 'PATH']
  expect(names('command')).toEqual(base)
  expect(names('claude')).toEqual(['ANTHROPIC_API_KEY', ...base])
  expect(names('codex')).toEqual([...base, 'OPENAI_API_KEY'].sort())
})

test('the policy can add a name, but none of Baton’s own and none that makes an agent drop its guards', () => {
  const wished = ['GITHUB_TOKEN', 'BATON_TOKEN', 'BATON_SECRET', 'CLAUDECODE', 'IS_SANDBOX', 'NOTHING']
  expect(names('command', wished)).toEqual([...names('command'), 'GITHUB_TOKEN'].sort())
})
