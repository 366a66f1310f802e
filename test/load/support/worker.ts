import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a worker process offers: plain data in, plain data out. */
// biome-ignore lint/suspicious/noExplicitAny: each worker's own type says what its calls take and answer.
export type Calls = Record<string, (input: any) => unknown>

export interface Worker<C extends Calls> extends AsyncDisposable {
  pid: number
  call<K extends keyof C & string>(name: K, input: Parameters<C[K]>[0]): Promise<Awaited<ReturnType<C[K]>>>
}

type Request = { id: number; name: string; input: unknown }
type Answer = { id: number; result?: unknown; error?: string }

/** Starts a module of `workers/` or `peers/` as a process of its own, so that it shares no event loop with anybody. */
export function startWorker<C extends Calls>(
  module: string,
  env: Record<string, string> = {},
): Promise<Worker<C>> {
  const file = fileURLToPath(new URL(`../${module}`, import.meta.url))
  const child = fork(file, [], { serialization: 'advanced', env: { PATH: process.env.PATH, ...env } })
  return once(child, 'message').then(() => asWorker<C>(child, module))
}

function asWorker<C extends Calls>(child: ChildProcess, module: string): Worker<C> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let lastId = 0
  child.on('message', ({ id, result, error }: Answer) => {
    if (error === undefined) waiting.get(id)?.resolve(result)
    else waiting.get(id)?.reject(new Error(`${module}: ${error}`))
    waiting.delete(id)
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} ended with ${signal ?? code}.`))
  })
  return {
    pid: child.pid ?? 0,
    call(name, input) {
      const answer = Promise.withResolvers<unknown>()
      waiting.set(++lastId, answer)
      child.send({ id: lastId, name, input } satisfies Request)
      return answer.promise as never
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      const limit = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(limit)
    },
  }
}

/** The worker's side: answers calls until the parent lets go of it, then ends the process. */
export function serveCalls(calls: Calls): void {
  const answer = async ({ id, name, input }: Request) => {
    try {
      process.send?.({ id, result: await calls[name]?.(input) } satisfies Answer)
    } catch (error) {
      process.send?.({ id, error: String((error as Error).stack ?? error) } satisfies Answer)
    }
  }
  process.on('message', (request: Request) => void answer(request))
  process.once('disconnect', () => process.exit(0))
  process.send?.({ ready: true })
}
