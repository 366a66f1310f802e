import { homedir } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { BatonError, ERROR_ANSWERS } from '@baton/protocol'
import { createLogger, type Logger } from '@baton/service'
import { batonFolders, type ProfilePaths, profilePaths } from './config/paths.ts'
import { readPolicy } from './config/policy.ts'
import { makePrivateFolder } from './config/private-file.ts'
import { type Profile, readMachineKey, readProfile } from './config/profile.ts'
import { lockRunner, type RunnerLock } from './config/runner-lock.ts'
import { createRunner, type Runner } from './create-runner.ts'
import { openLogFile } from './log-file.ts'

export type DaemonOptions = {
  profile: string
  takeover?: boolean
  /** Ends when stdin does: the process that started this one is gone. Default: BATON_EXIT_WITH_PARENT=1. */
  exitWithParent?: boolean
  /** Stopping ends the agents too. Default: as `exitWithParent`. */
  endRunsOnStop?: boolean
}

/**
 * A runner lives beside its owner's work. With the first, 128 MiB of output make it grow by 14 MiB instead of 130, for twice
 * the CPU. With the second V8 does not optimize the WebAssembly of Node's HTTP parser, which would take 24 MiB once and
 * never give 12 of them back.
 */
const STAY_SMALL = ['--optimize-for-size', '--wasm-tiering-budget=2000000000']

/**
 * The runner as a process: configuration, lock, log, signals. Prints one JSON line on stdout when it is connected and
 * returns the exit code: 0 after a stop, 2 for a broken configuration (one line per problem on stderr), 4 when the relay
 * does not take the key, 6 when another runner has the profile or the machine.
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  process.umask(0o077)
  for (const flag of STAY_SMALL) setFlagsFromString(flag)
  const paths = profilePaths(batonFolders(process.env, homedir()), options.profile)
  const exitWithParent = options.exitWithParent ?? process.env.BATON_EXIT_WITH_PARENT === '1'
  const profile = await readConfiguration(paths)
  if (!profile) return ERROR_ANSWERS.bad_input.exit
  const lock = await takeLock(paths)
  if (!lock) return ERROR_ANSWERS.conflict.exit
  const logFile = openLogFile(paths.logFile)
  const logger = createLogger({ name: 'runner', destination: logFile })
  process.on('unhandledRejection', (error) =>
    logger.error({ error }, 'A promise was rejected and nobody waited for it.'),
  )
  try {
    const runner = await createRunner({
      paths,
      profile,
      logger,
      homeFolder: homedir(),
      environment: process.env,
      takeover: options.takeover === true,
      endRunsOnStop: options.endRunsOnStop ?? exitWithParent,
    })
    return await serve(runner, logger, exitWithParent)
  } catch (error) {
    logger.fatal({ error }, 'The runner could not be started.')
    say(`The runner could not be started: ${(error as Error).message}`)
    return error instanceof BatonError ? ERROR_ANSWERS[error.code].exit : ERROR_ANSWERS.internal.exit
  } finally {
    await lock.release()
    logFile.end()
  }
}

async function readConfiguration(paths: ProfilePaths): Promise<Profile | null> {
  await makePrivateFolder(paths.stateFolder)
  const [profile, key, policy] = await Promise.all([
    readProfile(paths),
    readMachineKey(paths),
    readPolicy(paths.policyFile),
  ])
  const problems = [profile, key, policy].flatMap((read) => (read.ok ? [] : read.problems))
  for (const problem of problems) say(problem)
  return profile.ok && problems.length === 0 ? profile.value : null
}

async function takeLock(paths: ProfilePaths): Promise<RunnerLock | null> {
  try {
    return await lockRunner(paths)
  } catch (error) {
    if (!(error instanceof BatonError)) throw error
    say(error.message)
    return null
  }
}

/** Runs until it is told to stop, its parent is gone or the relay refuses it for good. */
async function serve(runner: Runner, logger: Logger, exitWithParent: boolean): Promise<number> {
  const told = Promise.withResolvers<null>()
  const stop = (cause: string) => {
    logger.info(`Stopping: ${cause}.`)
    told.resolve(null)
  }
  const onSignal = (signal: NodeJS.Signals) => stop(signal)
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  if (exitWithParent)
    process.stdin
      .on('end', () => stop('the parent is gone'))
      .on('error', () => stop('stdin'))
      .resume()
  const waiting = new AbortController()
  try {
    await runner.start()
    runner.online(waiting.signal).then(
      () => process.stdout.write(`${JSON.stringify({ ready: true, ...runner.status() })}\n`),
      () => undefined,
    )
    const refusal = await Promise.race([told.promise, runner.ended])
    if (refusal) say(refusal.message)
    return refusal ? ERROR_ANSWERS[refusal.code].exit : 0
  } finally {
    waiting.abort()
    await runner.stop()
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
    if (exitWithParent) process.stdin.pause()
  }
}

function say(line: string) {
  process.stderr.write(`${line}\n`)
}
