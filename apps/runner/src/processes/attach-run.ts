import { existsSync } from 'node:fs'
import { KILL_GRACE_MS } from '@baton/protocol'
import { type ControlWriter, openControlWriter } from './control-log.ts'
import { endOrphan } from './end-orphan.ts'
import { watchFolder } from './folder-watch.ts'
import { isAlive, type ProcessIdentity } from './process-table.ts'
import { readOutput } from './read-output.ts'
import { readJson, runFiles, type SupervisorRecord, storedOutput } from './run-files.ts'
import { createExit, type Exit, type Offsets, type SupervisedRun } from './supervised-run.ts'

const TOUCH_EVERY_MS = 30_000
/** Positions are told in steps: often enough for the limit of unconsumed bytes, rarely enough to cost nothing. */
const TELL_EVERY_BYTES = 1024 * 1024

const isExit = (name: string) => name === 'exit.json'
const isSegment = (name: string) => /^std(out|err)\.\d/.test(name)

/**
 * The runner's side of a started run: everything goes through the folder, so it is the same for the runner that
 * started it and for one that adopts it.
 */
export async function attachRun(
  runFolder: string,
  runId: string,
  record: SupervisorRecord & { agent: ProcessIdentity },
): Promise<SupervisedRun> {
  const files = runFiles(runFolder)
  const watch = watchFolder(runFolder, isExit)
  const released = new AbortController()
  const control: ControlWriter = await openControlWriter(files.control)
  await control.touch()
  const touching = setInterval(() => void control.touch().catch(() => {}), TOUCH_EVERY_MS)
  touching.unref()
  let exit: Exit | null = null
  let told = 0

  const exited = waitForExit()

  async function waitForExit(): Promise<Exit> {
    for (;;) {
      const seen = watch.version
      const supervised = isAlive(record.supervisor)
      exit = readJson<Exit>(files.exit)
      if (released.signal.aborted) return new Promise(() => {})
      if (!exit && !supervised) exit = await lostSupervisor()
      if (exit) break
      await watch.after(seen)
    }
    clearInterval(touching)
    watch.close()
    return exit
  }

  /** The supervisor was killed: its agent must not run on unseen. */
  async function lostSupervisor(): Promise<Exit> {
    const killProof = await endOrphan(runId, record)
    const message = 'The run was ended: its supervisor was killed from outside. Run it again.'
    return createExit({ killProof, error: 'killed', message, outputBytes: storedOutput(runFolder) })
  }

  async function* output(from: Offsets, signal: AbortSignal) {
    const hasEnded = () => exit !== null || existsSync(files.exit)
    const outputWatch = watchFolder(runFolder, (name) => isExit(name) || isSegment(name))
    try {
      yield* readOutput(runFolder, from, hasEnded, outputWatch, AbortSignal.any([signal, released.signal]))
    } finally {
      outputWatch.close()
    }
  }

  return {
    pid: record.agent.pid,
    exited,
    output,
    write: (text, id) => control.tell({ stdin: text, ...(id !== undefined && { id }) }),
    closeStdin: () => control.tell({ closeStdin: true }),
    async consumed(at) {
      if (at.stdout + at.stderr - told < TELL_EVERY_BYTES) return
      told = at.stdout + at.stderr
      await control.tell({ consumed: at })
    },
    stop: (reason, graceMs = KILL_GRACE_MS) => control.tell({ stop: { reason, graceMs } }),
    release() {
      clearInterval(touching)
      released.abort()
      watch.close()
      void control.close()
    },
  }
}
