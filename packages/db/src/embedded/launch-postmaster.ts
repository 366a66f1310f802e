import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Command } from './choose-confinement.ts'
import { postgresEnvironment } from './data-directory.ts'

export type Launch = { ready: true; child: ChildProcess } | { ready: false; said: string }

/**
 * Starts the server and waits until it accepts connections, or until it has ended; then `said` is the end of
 * what it wrote. The child does not keep this process alive: it is asked to stop when this process ends.
 */
export async function launchPostmaster(command: Command, log: (line: string) => void): Promise<Launch> {
  const child = spawn(command.file, command.args, {
    ...command.options,
    env: postgresEnvironment(),
    // A group of its own: Ctrl-C in a terminal is for its owner, who stops it after those that use it.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const launch = await waitUntilReady(child, log)
  if (launch.ready) {
    child.unref()
    ;(child.stderr as Socket | null)?.unref()
  }
  return launch
}

function waitUntilReady(child: ChildProcess, log: (line: string) => void): Promise<Launch> {
  return new Promise((resolve) => {
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000)
      log(text.trimEnd())
      if (said.includes('ready to accept connections')) resolve({ ready: true, child })
    })
    child.once('error', (error) => resolve({ ready: false, said: error.message }))
    // `close` comes after the last output, `exit` may come before it.
    child.once('close', () => resolve({ ready: false, said: said.trim() }))
  })
}
