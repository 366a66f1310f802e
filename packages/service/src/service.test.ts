import { expect, test } from 'vitest'
import { createService } from './service.ts'
import { stressService } from './stress-service.ts'

function recorded(delay: Promise<void> = Promise.resolve()) {
  const calls: string[] = []
  const service = createService({
    name: 'The bell',
    start: async () => {
      calls.push('start')
      await delay
      calls.push('started')
    },
    stop: async () => {
      calls.push('stop')
    },
  })
  return { service, calls }
}

test('a service made of a start and a stop keeps the contract', async () => {
  await stressService(() => recorded().service)
})

test('a stop during the start waits for it and then stops', async () => {
  const slow = Promise.withResolvers<void>()
  const { service, calls } = recorded(slow.promise)
  const starting = service.start()
  const stopping = service.stop()
  slow.resolve()
  await Promise.all([starting, stopping])
  expect(calls).toEqual(['start', 'started', 'stop'])
})

test('the start is told that a stop came', async () => {
  let reason: unknown
  const service = createService({
    name: 'The bell',
    start: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          resolve()
        })
      }),
  })
  const starting = service.start()
  await service.stop()
  await starting
  expect(String(reason)).toContain('The bell was stopped while it started')
})

test('what did not start is not stopped', async () => {
  let stops = 0
  const service = createService({
    name: 'The bell',
    start: () => {
      throw new Error('no rope')
    },
    stop: () => {
      stops += 1
    },
  })
  await expect(service.start()).rejects.toThrow('no rope')
  await service.stop()
  expect(stops).toBe(0)
})

test('a second start says which service it was', async () => {
  const { service } = recorded()
  await service.start()
  await expect(service.start()).rejects.toThrow('The bell was started before.')
  await service.stop()
  await expect(service.start()).rejects.toThrow('The bell was started before.')
})
