import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BatonError } from '@baton/protocol'
import type { ProfilePaths } from '../config/paths.ts'
import { makePrivateFolder, readTextFile } from '../config/private-file.ts'
import { findRunner } from '../config/runner-lock.ts'
import { entryFile } from '../entry.ts'
import { readRunnerStatus } from './runner-status.ts'

const CONNECTED_WITHIN_MS = 15_000
const LOOK_EVERY_MS = 50

/**
 * Starts the runner as a process that outlives this one and waits until it is connected. One that cannot connect yet is
 * left running, since it goes on trying; one that ends is an error with its last words.
 */
export async function startRunnerProcess(
  paths: ProfilePaths,
  { takeover }: { takeover: boolean },
): Promise<{ pid: number; sentence: string }> {
  await makePrivateFolder(dirname(paths.logFile))
  const log = await open(paths.logFile, 'a', 0o600)
  const { size: logStart } = await log.stat()
  const args = [
    entryFile,
    'up',
    '--foreground',
    '--profile',
    paths.profile,
    ...(takeover ? ['--takeover'] : []),
  ]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  child.unref()
  const { pid } = child
  if (pid === undefined)
    throw new BatonError('internal', `The runner could not be started: ${process.execPath} cannot be run.`)
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  const deadline = Date.now() + CONNECTED_WITHIN_MS
  for (;;) {
    const status = await readRunnerStatus(paths)
    if (status?.pid === pid && status.connection.state === 'online')
      return { pid, sentence: status.connection.sentence }
    if (ended) throw await describeEnd(paths, logStart)
    if (Date.now() > deadline) {
      const sentence = status?.pid === pid ? status.connection.sentence : 'It has not said how it is yet.'
      return { pid, sentence }
    }
    await sleep(LOOK_EVERY_MS)
  }
}

async function describeEnd(paths: ProfilePaths, logStart: number): Promise<BatonError> {
  const said = ((await readTextFile(paths.logFile)) ?? '').slice(logStart).trimEnd().split('\n').slice(-6)
  return new BatonError(
    'conflict',
    `The runner ended at once. Its last words (${paths.logFile}):\n${said.map((line) => `  ${line}`).join('\n')}`,
  )
}

/** Asks the runner to stop and waits. Returns its process id, or null when none ran. */
export async function stopRunnerProcess(paths: ProfilePaths, withinMs: number): Promise<number | null> {
  const pid = await findRunner(paths.lockFile)
  if (pid === null) return null
  process.kill(pid, 'SIGTERM')
  const deadline = Date.now() + withinMs
  while ((await findRunner(paths.lockFile)) === pid) {
    if (Date.now() > deadline)
      throw new BatonError(
        'timeout',
        `The runner (process ${pid}) did not stop within ${withinMs / 1000} s. Its log is ${paths.logFile}.`,
      )
    await sleep(LOOK_EVERY_MS)
  }
  return pid
}
