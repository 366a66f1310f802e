import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { BatonError } from '@baton/protocol'
import type { ProfilePaths } from '../config/paths.ts'
import { writeDefaultPolicy } from '../config/policy.ts'
import { readMachineKey, readProfile, writeMachineKey, writeProfile } from '../config/profile.ts'
import { findRunner } from '../config/runner-lock.ts'
import { exchangeToken } from '../connection/exchange-token.ts'
import { printable } from './printable.ts'
import { startRunnerProcess } from './runner-process.ts'
import type { Session } from './session.ts'

type Options = {
  server?: string
  keyStdin?: boolean
  keyFile?: string
  foreground?: boolean
  takeover?: boolean
}

/** `baton up`: stores where the relay is and with which key, the first time, and starts this machine's runner. */
export async function connectMachine(session: Session, _args: string[], options: Options): Promise<number> {
  const paths = await session.paths()
  const key = await readKey(options)
  if ((options.server === undefined) !== (key === undefined)) {
    throw new BatonError(
      'bad_input',
      'An address and a key belong together: give --server with --key-stdin or --key-file, or none of them to use the stored ones.',
    )
  }
  if (options.server !== undefined && key !== undefined) await enrol(session, paths, options.server, key)
  await assertEnrolled(paths)
  await writeDefaultPolicy(paths.policyFile, {})
  const takeover = options.takeover === true
  if (options.foreground) {
    const { runDaemon } = await import('../daemon.ts')
    return runDaemon({ profile: paths.profile, takeover })
  }
  return startInBackground(session, paths, takeover)
}

/** A key that the relay refuses is never stored. */
async function enrol(session: Session, paths: ProfilePaths, server: string, key: string): Promise<void> {
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new BatonError('bad_input', `--server ${server}: give an address like https://relay.example.com.`)
  }
  const url = server.replace(/\/+$/, '')
  const { machineId, machineName } = await exchangeToken(url, key, new AbortController().signal)
  await writeMachineKey(paths, key)
  await writeProfile(paths, { url, machineId, machineName })
  session.note(`This computer is "${printable(machineName)}" at ${url}.`)
}

/** Throws when this profile has no relay and key yet. */
export async function assertEnrolled(paths: ProfilePaths): Promise<void> {
  const [profile, key] = await Promise.all([readProfile(paths), readMachineKey(paths)])
  const problems = [profile, key].flatMap((one) => (one.ok ? [] : one.problems))
  if (problems.length === 0) return
  throw new BatonError(
    'bad_input',
    `This machine is not connected to a relay yet:\n${problems.map((one) => `  ${one}`).join('\n')}\nThe first time: baton up --server <url> --key-stdin`,
  )
}

async function startInBackground(session: Session, paths: ProfilePaths, takeover: boolean): Promise<number> {
  const running = await findRunner(paths.lockFile)
  if (running !== null) {
    session.print(
      { pid: running, alreadyRunning: true },
      () => `The runner runs already, as process ${running}.`,
    )
    return 0
  }
  const { pid, sentence } = await startRunnerProcess(paths, { takeover })
  session.print(
    { pid, alreadyRunning: false, log: paths.logFile },
    () => `The runner runs, as process ${pid}. ${sentence}`,
  )
  session.note(`It goes on when this terminal closes. Stop it with: baton down. Its log: ${paths.logFile}`)
  return 0
}

async function readKey({ keyStdin, keyFile }: Options): Promise<string | undefined> {
  if (keyStdin && keyFile) throw new BatonError('bad_input', 'Give the key once: --key-stdin or --key-file.')
  if (!keyStdin && !keyFile) return undefined
  const key = (keyStdin ? await readAll(process.stdin) : await readKeyFile(keyFile ?? '')).trim()
  if (/^sk_machine_\S+$/.test(key)) return key
  throw new BatonError(
    'bad_input',
    'What was given is no machine key: it looks like sk_machine_…. Make one with "baton machine add <name>".',
  )
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new BatonError('bad_input', `--key-file ${file}: ${(error as Error).message}`, { cause: error })
  }
}
