import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { CALL_MARK } from './inside-script.ts'

/** Programs that drivers look for on the PATH and ask for their version. */
const PROGRAMS = ['claude', 'codex', 'gemini', 'opencode']

/**
 * Stand-ins on the PATH that a driver is given: each hands its arguments to the program of the same name inside the
 * container. So drivers find, and ask, what the image holds, and not what this machine has installed.
 */
export async function writeShims(folder: string, engine: Engine, container: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const call = [engine.file, 'exec', '--interactive', '--env', `${CALL_MARK}=shim`, container].map(quoted)
  const env = Object.entries(engine.env).map(([name, value]) => `export ${name}=${quoted(value)}`)
  for (const name of PROGRAMS) {
    const text = `#!/bin/sh\n${env.join('\n')}\nexec ${call.join(' ')} ${name} "$@"\n`
    await writeFile(join(folder, name), text, { mode: 0o700 })
  }
  return folder
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
