import { rm } from 'node:fs/promises'
import type { AgentView, RunEvent, RuntimeProbe } from '@baton/protocol'
import { confirm } from '../cli/confirm.ts'
import type { Session } from '../cli/session.ts'
import { createEventWriter } from '../cli/show-event.ts'
import { duration } from '../cli/text.ts'
import { writePrivateFile } from '../config/private-file.ts'
import { type DevPlaces, findDevPlaces } from './dev-places.ts'
import { ensureAgents } from './ensure-agents.ts'
import { holdDev } from './hold-dev.ts'
import { openBrowser } from './open-browser.ts'
import { createParts, type Parts } from './parts.ts'
import { type PreparedMachine, prepareMachine } from './prepare-machine.ts'
import { type Proof, prove } from './prove.ts'
import { resetDev } from './reset.ts'
import { proofText } from './show-proof.ts'
import { agentsText, nextSteps } from './show-start.ts'
import { type DevDatabase, startDatabase } from './start-database.ts'
import { assertCheckout, assertPortIsFree, relayEnvironment, relayPort, startRelay } from './start-relay.ts'
import { startRunner } from './start-runner.ts'

export type DevOptions = { proof?: boolean; open?: boolean; reset?: boolean }

/**
 * `baton dev`: database, relay with dashboard, and a runner for this computer, each its own process, and a proof that
 * work gets through. Stays until Ctrl-C, then stops runner, relay and database in this order and keeps the data. With
 * --proof it ends after the proof: 0, or 1 with the stage that failed.
 */
export async function runDev(session: Session, _args: string[], options: DevOptions): Promise<number> {
  assertCheckout()
  const places = await findDevPlaces(session.env)
  const relayUrl = `http://127.0.0.1:${relayPort(session.env)}`
  if (options.reset)
    await confirm(
      session,
      `Delete the database of "baton dev" in ${places.dataFolder} and this computer's place in it?`,
    )
  const lock = await holdDev(places)
  const stopped = whenAskedToStop(session.env.npm_lifecycle_event === 'start')
  const parts = createParts()
  try {
    await assertPortIsFree(relayPort(session.env))
    if (options.reset) await resetDev(places)
    await rm(places.runningFile, { force: true })
    const started = await stopped.or(start(session, places, relayUrl, parts))
    if (started === null) return 0
    await writePrivateFile(places.runningFile, JSON.stringify({ url: relayUrl, pid: process.pid }))
    const proof = await stopped.or(proveAndSay(session, started, options))
    if (proof === null) return 0
    report(session, relayUrl, started, proof, options)
    if (options.proof) return proof.ok ? 0 : 1
    if (shallOpen(session, options))
      await openBrowser(started.machine.signInUrl, `${places.stateFolder}/sign-in.html`)
    await stopped.promise
    return 0
  } finally {
    if (!options.proof) session.note('\nStopping …')
    await parts.stop((line) => session.note(line))
    await rm(places.runningFile, { force: true })
    await lock.release()
    stopped.dispose()
  }
}

type Started = { database: DevDatabase; machine: PreparedMachine; agents: AgentView[]; found: RuntimeProbe[] }

/** Everything in the order in which it needs each other; `parts` gets what must be stopped, as soon as it runs. */
async function start(session: Session, places: DevPlaces, relayUrl: string, parts: Parts): Promise<Started> {
  const say = (line: string) => session.note(`${session.err('yellow', '!')} ${line}`)
  const detecting = detect()
  const startedAt = Date.now()
  const database = await startDatabase(session.env, places, say)
  if (database.kept) await parts.add(database.kept)
  step(session, 'Database', `${database.shown}`, startedAt)
  const relayEnv = await relayEnvironment(session.env, places, database.url)
  const relayStartedAt = Date.now()
  await parts.add(await startRelay(relayEnv, places, say))
  step(session, 'Relay', relayUrl, relayStartedAt)
  const machineStartedAt = Date.now()
  const machine = await prepareMachine(relayUrl, relayEnv, places)
  const [runner, found] = await Promise.all([startRunner(session.env, places, say), detecting])
  await parts.add(runner)
  const agents = await ensureAgents(machine.baton, machine.machineId, found)
  step(session, 'Runner', `this computer, as "${machine.machineName}"`, machineStartedAt)
  step(session, 'Agents', agents.map((one) => one.key).join(', '), null)
  session.note(agentsText(found, session.err))
  return { database, machine, agents, found }
}

/** The agent CLIs of this computer. Loaded here and not above: asking them is slow and runs beside everything else. */
async function detect(): Promise<RuntimeProbe[]> {
  const { detectRuntimes } = await import('../agents/detect-runtimes.ts')
  const found = await detectRuntimes({})
  return found.filter(({ runtime }) => runtime !== 'command')
}

function step(session: Session, name: string, what: string, since: number | null): void {
  const took = since === null ? '' : session.err('dim', `  ${duration(Date.now() - since)}`)
  session.note(`${session.err('cyan', '◇')} ${name.padEnd(9)} ${what}${took}`)
}

async function proveAndSay(session: Session, { machine }: Started, options: DevOptions): Promise<Proof> {
  session.note(
    `${session.err('cyan', '◇')} Proof     a signed webhook to this relay's own address, through the whole path`,
  )
  const writer = createEventWriter(session.err)
  const show = (event: RunEvent) => {
    if (!session.json) process.stderr.write(writer.show(event))
  }
  const proof = await prove(machine.baton, show)
  if (options.proof && !session.json) session.write(`${proofText(proof, session.out)}\n`)
  else session.note(`${writer.end()}${proofText(proof, session.err)}`)
  return proof
}

function report(
  session: Session,
  url: string,
  { database, machine, agents, found }: Started,
  proof: Proof,
  options: DevOptions,
): void {
  if (session.json) {
    const facts = { ok: proof.ok, url, ...(options.proof ? {} : { signInUrl: machine.signInUrl }) }
    const { kind, shown } = database
    session.print({ ...facts, database: { kind, where: shown }, agents, runtimes: found, proof }, () => '')
    return
  }
  if (options.proof) return
  process.stdout.write(`ready ${url}\n`)
  session.note(
    `\nSign in (once, within 10 minutes): ${machine.signInUrl}\n\nTry next:\n${nextSteps(agents, session.err)}\n`,
  )
  session.note(session.err('dim', 'Ctrl-C stops everything and keeps the data.'))
}

function shallOpen(session: Session, { open }: DevOptions): boolean {
  return open !== false && session.canAsk && !session.env.BATON_NO_OPEN
}

const PARENT_EVERY_MS = 500

/**
 * The first Ctrl-C or TERM, or the end of the npm that started this: a killed npm tells nobody.
 * `or` gives null when it comes before the work is done; the work's own end is then
 * awaited by nobody.
 */
function whenAskedToStop(endsWithParent: boolean) {
  const { promise, resolve } = Promise.withResolvers<null>()
  const stop = () => resolve(null)
  const parent = process.ppid
  const watch = endsWithParent
    ? setInterval(() => {
        if (process.ppid !== parent) stop()
      }, PARENT_EVERY_MS)
    : undefined
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    promise,
    or: <T>(work: Promise<T>): Promise<T | null> => {
      work.catch(() => {})
      return Promise.race([work, promise])
    },
    dispose: () => {
      clearInterval(watch)
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    },
  }
}
