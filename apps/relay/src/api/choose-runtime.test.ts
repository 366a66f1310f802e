import type { Runtime, RuntimeProbe } from '@baton/protocol'
import { expect, test } from 'vitest'
import { chooseRuntime } from './choose-runtime.ts'

const probe = (runtime: Runtime, signedIn: RuntimeProbe['signedIn'] | null): RuntimeProbe => ({
  runtime,
  installed: signedIn !== null,
  version: null,
  path: null,
  signedIn: signedIn ?? 'unknown',
  detail: '',
  commands: [],
  capabilities: [],
})
const choose = (...runtimes: RuntimeProbe[]) => chooseRuntime({ name: 'laptop', runtimes })

test('auto is the best that is signed in, then one that could not be asked, and never one that is signed out', () => {
  expect(choose(probe('gemini', 'yes'), probe('codex', 'yes'), probe('claude', 'no'))).toBe('codex')
  expect(choose(probe('opencode', 'unknown'), probe('gemini', 'yes'))).toBe('gemini')
  expect(choose(probe('claude', null), probe('opencode', 'unknown'), probe('codex', 'no'))).toBe('opencode')
  expect(() => choose(probe('claude', 'no'), probe('command', 'yes'))).toThrow(
    'claude: not signed in, codex: not installed',
  )
})
