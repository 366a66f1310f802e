import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inOrder } from './in-order.ts'
import { createService, type Service } from './service.ts'
import { stressService } from './stress-service.ts'

const calls: string[] = []

function named(name: string, broken: { start?: boolean; stop?: boolean } = {}): Service {
  return createService({
    name,
    start: async () => {
      await setImmediate()
      if (broken.start) throw new Error(`${name} cannot start`)
      calls.push(`+${name}`)
    },
    stop: async () => {
      await setImmediate()
      calls.push(`-${name}`)
      if (broken.stop) throw new Error(`${name} cannot stop`)
    },
  })
}

test('services start in order and stop backwards', async () => {
  calls.length = 0
  const all = inOrder([named('a'), named('b'), named('c')])
  await all.start()
  await all.stop()
  expect(calls).toEqual(['+a', '+b', '+c', '-c', '-b', '-a'])
})

test('when one does not start, those before it are stopped and its error is thrown', async () => {
  calls.length = 0
  const all = inOrder([named('a'), named('b'), named('c', { start: true }), named('d')])
  await expect(all.start()).rejects.toThrow('c cannot start')
  await all.stop()
  expect(calls).toEqual(['+a', '+b', '-b', '-a'])
})

test('an error while cleaning up does not hide why the start failed', async () => {
  const all = inOrder([named('a', { stop: true }), named('b', { start: true })])
  await expect(all.start()).rejects.toThrow('b cannot start')
})

test('a stop that fails does not keep the others from stopping', async () => {
  calls.length = 0
  const all = inOrder([named('a'), named('b', { stop: true }), named('c', { stop: true })])
  await all.start()
  await expect(all.stop()).rejects.toMatchObject({
    errors: [{ message: 'c cannot stop' }, { message: 'b cannot stop' }],
  })
  expect(calls.slice(3)).toEqual(['-c', '-b', '-a'])
})

test('a stop while they start leaves none of them running', async () => {
  calls.length = 0
  const all = inOrder([named('a'), named('b'), named('c')])
  const starting = all.start().catch((error: unknown) => error)
  await setImmediate()
  await all.stop()
  expect(String(await starting)).toContain('was stopped while it started')
  const started = calls.filter((call) => call.startsWith('+')).map((call) => call.slice(1))
  const stopped = calls.filter((call) => call.startsWith('-')).map((call) => call.slice(1))
  expect(started.length).toBeLessThan(3)
  expect(stopped).toEqual(started.toReversed())
})

test('a list of services is a service', async () => {
  await stressService(() => inOrder([named('a'), inOrder([named('b'), named('c')])]))
})
