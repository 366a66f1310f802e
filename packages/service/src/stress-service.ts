import { setImmediate } from 'node:timers/promises'
import type { Service } from './service.ts'

/**
 * Breaks the Service contract in every order that happens in practice and throws an error that names the promise
 * which was not kept. Each service in the project has a test that passes its `create` to this.
 */
export async function stressService(create: () => Service | Promise<Service>): Promise<void> {
  await promise('stop before start resolves', async () => (await create()).stop())
  await promise('stop may be called twice, one after the other and at once', async () => {
    const service = await started(create)
    await Promise.all([service.stop(), service.stop()])
    await service.stop()
  })
  await promise('a second start is refused and the first one goes on', async () => {
    const service = await started(create)
    await mustReject(service.start(), 'start resolved twice')
    await service.stop()
  })
  await promise('a start after a stop is refused', async () => {
    const service = await started(create)
    await service.stop()
    await mustReject(service.start(), 'start resolved after stop')
    await service.stop()
  })
  for (let turns = 0; turns < 10; turns++) {
    await promise(`a stop ${turns} turns into the start waits and ends it`, async () => {
      const service = await create()
      const starting = service.start().then(
        () => 'works',
        () => 'was ended',
      )
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      await service.stop()
      await starting
    })
  }
}

const limitMs = 10_000

async function promise(name: string, check: () => Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`not done after ${limitMs} ms`)), limitMs)
  try {
    await Promise.race([check(), late.promise])
  } catch (error) {
    throw new Error(`A service does not keep its contract: ${name}.`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

async function started(create: () => Service | Promise<Service>): Promise<Service> {
  const service = await create()
  await service.start()
  return service
}

async function mustReject(call: Promise<void>, otherwise: string): Promise<void> {
  const outcome = await call.then(
    () => 'resolved',
    () => 'rejected',
  )
  if (outcome === 'resolved') throw new Error(otherwise)
}
