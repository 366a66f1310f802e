import { type Capability, RUNTIME_CAPABILITIES, RUNTIMES, type Runtime } from '@baton/protocol'
import { expect, test } from 'vitest'
import { driverFor } from './driver-for.ts'
import type { RunReader } from './runtime.ts'

/** What a reader must be able to do where a runtime is said to be able to. */
const DOES: Partial<Record<Capability, keyof RunReader>> = {
  approvals: 'answer',
  steer: 'steer',
  interrupt: 'interrupt',
}

test.each(RUNTIMES)('what %s is said to be able to, its reader does, and nothing else', (runtime) => {
  const driver = driverFor(runtime)
  expect(driver?.capabilities).toEqual(RUNTIME_CAPABILITIES[runtime])
  const reader = readerOf(runtime)
  const does = Object.values(DOES).filter((name) => typeof reader?.[name] === 'function')
  const said = (Object.keys(DOES) as Capability[]).filter((one) => driver?.capabilities.includes(one))
  expect(does).toEqual(said.map((one) => DOES[one]))
})

test('what a run used is known while it goes on, so that a budget can end it, but of gemini', () => {
  const late = RUNTIMES.filter(
    (runtime) =>
      RUNTIME_CAPABILITIES[runtime].includes('usage') && readerOf(runtime)?.usageSoFar === undefined,
  )
  expect(late).toEqual(['gemini'])
})

function readerOf(runtime: Runtime): RunReader | undefined {
  return driverFor(runtime)?.createReader({
    delivery: { agent: { command: null, permissionMode: 'edit' }, sessionId: null, prompt: 'hi' },
    policy: { commands: {} },
    cwd: '/work',
  })
}
