import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An empty home for one test, with a BATON_HOME in it and a free port; nothing of the caller's own settings gets in. */
export type TestHome = {
  folder: string
  env: Record<string, string>
  port: number
  [Symbol.asyncDispose](): Promise<void>
}

export async function openHome(more: Record<string, string> = {}): Promise<TestHome> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-e2e-'))
  await mkdir(join(folder, 'user'))
  const port = await freePort()
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(BATON_(?!TEST_MARK)|DATABASE_URL$|XDG_|CLAUDE|ANTHROPIC_|AI_AGENT$|IS_SANDBOX$)/.test(name),
  )
  return {
    folder,
    port,
    env: {
      ...(Object.fromEntries(kept) as Record<string, string>),
      HOME: join(folder, 'user'),
      BATON_HOME: join(folder, 'baton'),
      BATON_PORT: String(port),
      NO_COLOR: '1',
      ...more,
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  }
}

/** A port on which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No port.')
  return address.port
}
