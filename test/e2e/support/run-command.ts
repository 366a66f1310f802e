import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export type Ended = { code: number | null; stdout: string; stderr: string }

const command = fileURLToPath(new URL('../../../apps/runner/bin/baton.mjs', import.meta.url))

/** Runs `baton …` under pipes, as a script would, and waits for its end. */
export async function runBaton(
  args: string[],
  { env, input = '', cwd }: { env: Record<string, string>; input?: string; cwd?: string },
): Promise<Ended> {
  return runNode([command, ...args], { env, input, ...(cwd ? { cwd } : {}) })
}

export async function runNode(
  args: string[],
  { env, input = '', cwd }: { env: Record<string, string>; input?: string; cwd?: string },
): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd ? { cwd } : {}),
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}
