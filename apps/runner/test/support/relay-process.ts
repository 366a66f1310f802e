import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../relay/src/main.ts', import.meta.url))
const SECRET = 'only for tests, and longer than thirty-two characters'

export type RelayProcess = {
  url: string
  /** SIGKILL, as if the machine had lost power. */
  kill(): Promise<void>
  /** SIGTERM: the relay asks its clients to reconnect, then closes. */
  stop(): Promise<void>
  /** Starts it again on the same address. */
  start(): Promise<void>
}

/** The real relay as a process of its own, on a port that stays its own over restarts. */
export async function startRelayProcess(databaseUrl: string): Promise<RelayProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    BATON_SECRET: SECRET,
    BATON_PORT: String(port),
    BATON_LOG_LEVEL: 'error',
    BATON_PUBLIC_URL: url,
    BATON_EXIT_WITH_PARENT: '1',
  }
  let child: ReturnType<typeof begin> | null = null
  const begin = () => spawn(process.execPath, [MAIN, 'start'], { env, stdio: ['pipe', 'pipe', 'inherit'] })

  async function start() {
    child = begin()
    const lines = createInterface({ input: child.stdout })
    const [first] = (await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the relay ended with ${code}`))),
    ])) as [string]
    if (!JSON.parse(first).ready) throw new Error(`the relay said ${first}`)
  }

  async function end(signal: NodeJS.Signals) {
    const ending = child
    child = null
    if (!ending || ending.exitCode !== null) return
    ending.kill(signal)
    await once(ending, 'exit')
  }

  await start()
  return { url, start, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

/** Runs the operator's `setup` and returns what it printed. */
export async function setUpRelay(databaseUrl: string, request: object): Promise<Record<string, unknown>> {
  const env = { ...process.env, DATABASE_URL: databaseUrl, BATON_SECRET: SECRET }
  const child = spawn(process.execPath, [MAIN, 'setup', '--json'], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(request))
  let text = ''
  for await (const part of child.stdout) text += part
  return JSON.parse(text)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
