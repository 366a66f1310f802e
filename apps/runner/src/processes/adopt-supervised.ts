import { attachRun } from './attach-run.ts'
import { claimAttempt } from './claim-attempt.ts'
import { endOrphan } from './end-orphan.ts'
import { watchFolder } from './folder-watch.ts'
import { isAlive, readBootId } from './process-table.ts'
import { readOutput } from './read-output.ts'
import { readJson, readText, runFiles, type SupervisorRecord } from './run-files.ts'
import type { GoneRun, SupervisedRun } from './supervised-run.ts'

/**
 * Finds a run that an earlier runner started. Output, exit and everything else go on as if nothing had happened; an
 * agent that ended meanwhile is adopted too, with `exited` settled. When nobody supervises the run any more, what is
 * left of it is ended first and the answer says why.
 */
export async function adoptSupervised(runFolder: string, runId: string): Promise<SupervisedRun | GoneRun> {
  const files = runFiles(runFolder)
  const gone = (why: GoneRun['gone'], killProof: GoneRun['killProof'] = null) => ({
    gone: why,
    killProof,
    output: leftOutput(runFolder),
  })
  const attempt = readAttempt(files.control)
  if (!attempt) return gone('never_started')
  if (!readJson(files.supervisor) && claimAttempt(runFolder, attempt)) return gone('never_started')

  const watch = watchFolder(runFolder, () => true)
  try {
    const until = performance.now() + SUPERVISOR_MAY_TAKE_MS
    for (;;) {
      const seen = watch.version
      const record = readJson<SupervisorRecord>(files.supervisor)
      const ended = readJson(files.exit) !== null
      if (record?.agent && (ended || (record.bootId === readBootId() && isAlive(record.supervisor)))) {
        return await attachRun(runFolder, runId, { ...record, agent: record.agent })
      }
      if (record && ended) return gone('never_started')
      if (record && record.bootId !== readBootId()) return gone('machine_restarted')
      if (record && !isAlive(record.supervisor) && !readJson(files.exit)) {
        return gone('supervisor_died', await endOrphan(runId, record))
      }
      if (!record && performance.now() > until) return gone('supervisor_died')
      await watch.after(seen)
    }
  } finally {
    watch.close()
  }
}

/** Between claiming an attempt and saying who it is, a supervisor does nothing but write two small files. */
const SUPERVISOR_MAY_TAKE_MS = 5_000

function leftOutput(runFolder: string): GoneRun['output'] {
  return async function* (from, signal) {
    const watch = watchFolder(runFolder, () => false)
    try {
      yield* readOutput(runFolder, from, () => true, watch, signal)
    } finally {
      watch.close()
    }
  }
}

/** The attempt that the control log belongs to; null when starting was never tried. */
function readAttempt(path: string): string | null {
  const text = readText(path) ?? ''
  const line = text.slice(0, text.indexOf('\n'))
  return line === '' ? null : (JSON.parse(line) as { attempt: string }).attempt
}
