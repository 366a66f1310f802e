import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@baton/service'
import { readTextFile, writePrivateFile } from '../config/private-file.ts'
import { containerFolders, emptyHome } from './container-home.ts'
import {
  type ContainerPlan,
  containerName,
  endInsideArguments,
  INSTALLATION_LABEL,
} from './container-plan.ts'
import { callEngine, type Engine, type Environment, findEngine, listEngines } from './engine.ts'
import { holdContainer } from './hold-container.ts'

/** The containers of this runner's agents: each is made at its first run and found again by its name. */
export type Containers = {
  folder: string
  installation: string
  /** The running container of a plan, for this run; `problem` says why there is none. */
  hold(
    plan: ContainerPlan,
    runId: string,
    signal: AbortSignal,
  ): Promise<{ engine: Engine; name: string } | { problem: string }>
  /** The run is over: what it was given goes, and its container too when no other run can have the same. */
  release(runId: string): Promise<void>
  /**
   * Ends what runs that nobody holds left inside, and removes containers that were not used for a day, whose folders are
   * gone, or of which nothing is known. For the start of a runner, and from time to time.
   */
  tend(held: ReadonlySet<string>, now: number): Promise<void>
}

type Noted = { engine: Engine['name']; plan: ContainerPlan; usedAt: number; runs: string[] }

const UNUSED_MS = 24 * 3_600_000

export function createContainers(
  folder: string,
  installation: string,
  environment: Environment,
  logger: Logger,
): Containers {
  const turns = new Map<string, Promise<unknown>>()
  const notes = join(folder, '.notes')

  async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const mine = (turns.get(name) ?? Promise.resolve()).then(work, work)
    turns.set(name, mine)
    try {
      return await mine
    } finally {
      if (turns.get(name) === mine) turns.delete(name)
    }
  }

  const noteFile = (name: string) => join(notes, `${name}.json`)

  async function readNote(name: string): Promise<Noted | null> {
    const text = await readTextFile(noteFile(name))
    return text === null ? null : (JSON.parse(text) as Noted)
  }

  async function listNotes(): Promise<string[]> {
    const names = await readdir(notes).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return names.flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []))
  }

  /** Takes the run out of its container's note; the folders that it was given go. */
  async function forget(name: string, note: Noted, runId: string): Promise<Noted> {
    const left = { ...note, usedAt: Date.now(), runs: note.runs.filter((one) => one !== runId) }
    const folders = containerFolders(folder, note.plan.agentKey)
    await rm(folders.run(runId), { recursive: true, force: true })
    if (left.runs.length === 0) await emptyHome(folders.home, note.plan.runtime)
    await writePrivateFile(noteFile(name), JSON.stringify(left))
    return left
  }

  async function remove(engine: Engine, name: string, why: string): Promise<void> {
    const answer = await callEngine(engine, ['rm', '--force', name])
    if (answer.ok || /no such container/i.test(answer.stderr)) await rm(noteFile(name), { force: true })
    logger.info({ container: name, why, ok: answer.ok }, 'A container is removed.')
  }

  async function whyRemove(note: Noted, now: number): Promise<string | null> {
    if (note.runs.length > 0) return null
    if (now - note.usedAt > UNUSED_MS) return 'it was not used for a day'
    for (const { path } of note.plan.mounts)
      if (!(await stat(path).catch(() => null))) return `${path} is gone`
    return null
  }

  async function tendOne(engine: Engine, name: string, held: ReadonlySet<string>, now: number) {
    let note = await readNote(name)
    if (!note) return await remove(engine, name, 'nothing is known of it')
    for (const runId of note.runs.filter((one) => !held.has(one))) {
      await callEngine(engine, [...endInsideArguments(name, `BATON_RUN_ID=${runId}`), 'KILL'])
      note = await forget(name, note, runId)
    }
    const why = await whyRemove(note, now)
    if (why !== null) await remove(engine, name, why)
  }

  return {
    folder,
    installation,
    async hold(plan, runId, signal) {
      const engine = await findEngine(plan.isolation.engine, environment)
      if ('problem' in engine) return engine
      const name = containerName(plan)
      return await inTurn(name, async () => {
        const note = await readNote(name)
        const runs = [...new Set([...(note?.runs ?? []), runId])]
        const noted: Noted = { engine: engine.name, plan, usedAt: Date.now(), runs }
        await mkdir(notes, { recursive: true, mode: 0o700 })
        await writePrivateFile(noteFile(name), JSON.stringify(noted))
        const held = await holdContainer(engine, plan, signal)
        return 'problem' in held ? held : { engine, name }
      })
    },
    async release(runId) {
      for (const name of await listNotes()) {
        await inTurn(name, async () => {
          const note = await readNote(name)
          if (note?.runs.includes(runId)) await forget(name, note, runId)
        })
      }
    },
    async tend(held, now) {
      for (const engine of await listEngines(environment)) {
        const list = ['ps', '--all', '--filter', `label=${INSTALLATION_LABEL}=${installation}`]
        const answer = await callEngine(engine, [...list, '--format', '{{.Names}}'], { timeout: 10_000 })
        if (!answer.ok) continue
        for (const name of answer.stdout.split('\n').filter((line) => line !== ''))
          await inTurn(name, () => tendOne(engine, name, held, now))
      }
    },
  }
}
