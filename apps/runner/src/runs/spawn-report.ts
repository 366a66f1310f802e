import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type PushedDelivery, spawnReport, type SpawnReport as WireReport } from '@baton/protocol'
import type { SecretMask } from '../agents/profile/secret-mask.ts'
import type { Prepared } from '../agents/runtime.ts'
import { readTextFile, writePrivateFile } from '../config/private-file.ts'
import type { Exit } from '../processes/supervised-run.ts'
import { version as runnerVersion } from '../version.ts'
import { runFolderFiles } from './run-folder.ts'

/** How an agent was started and ended, for a person who looks for the cause. Names of its environment, never values. */
export type SpawnReport = {
  runtime: string
  file: string
  shown: string[]
  version: string | null
  cwd: string
  environmentNames: string[]
  secretNames: string[]
  /** What least power took away, and what else was not as asked. */
  limited: string[]
  exit: Exit | null
  stderrTail: string | null
}

const TAIL_BYTES = 2_048
/** Read besides, so that a value is found although the tail begins in the middle of it. */
const MASK_BYTES = 32 * 1024

/** Written before the agent is started, so that a runner that adopts it can still say what was started. */
export async function writeSpawnReport(
  folder: string,
  given: { runtime: string; cwd: string; prepared: Prepared; delivery: PushedDelivery; notes: string[] },
): Promise<void> {
  const { file, env } = given.prepared.command
  const report: SpawnReport = {
    runtime: given.runtime,
    file,
    shown: given.prepared.shown,
    version: given.prepared.version,
    cwd: given.cwd,
    environmentNames: Object.keys(env).toSorted(),
    secretNames: given.delivery.agent.secretNames,
    limited: given.notes,
    exit: null,
    stderrTail: null,
  }
  await writePrivateFile(runFolderFiles(folder).report, JSON.stringify(report, null, 2))
}

export async function readSpawnReport(folder: string): Promise<SpawnReport | null> {
  const text = await readTextFile(runFolderFiles(folder).report)
  return text === null ? null : (JSON.parse(text) as SpawnReport)
}

export async function addExitToReport(folder: string, exit: Exit, mask: SecretMask | null): Promise<void> {
  const report = await readSpawnReport(folder)
  if (!report) return
  const stderrTail = await readStderrTail(folder, mask)
  const text = JSON.stringify({ ...report, exit, stderrTail }, null, 2)
  await writePrivateFile(runFolderFiles(folder).report, text)
}

/** The report as the relay keeps it: bounded, so that it can be sent whatever an agent was started with. */
export function toWireReport(report: SpawnReport | null): WireReport | null {
  if (!report) return null
  const cut = (text: string, length: number) =>
    text.toWellFormed().replaceAll('\0', '\uFFFD').slice(0, length)
  const all = (texts: readonly string[], count: number, length: number) =>
    texts.slice(0, count).map((text) => cut(text, length))
  const { exit } = report
  const wire: WireReport = {
    runtime: report.runtime,
    file: cut(report.file, 4_096),
    command: all(report.shown, 200, 2_000),
    version: report.version && cut(report.version, 200),
    runnerVersion,
    cwd: cut(report.cwd, 4_096),
    environmentNames: all(report.environmentNames, 500, 200),
    secretNames: all(report.secretNames ?? [], 100, 200),
    limited: all(report.limited ?? [], 20, 500),
    exit: exit && {
      exitCode: exit.exitCode,
      signal: exit.signal,
      error: exit.error,
      message: exit.message && cut(exit.message, 2_000),
    },
    stderrTail: report.stderrTail && cut(report.stderrTail, 4_096),
  }
  // A file of an older runner may lack what is written now: then there is no report rather than no end of the run.
  const parsed = spawnReport.safeParse(wire)
  return parsed.success ? parsed.data : null
}

async function readStderrTail(folder: string, mask: SecretMask | null): Promise<string | null> {
  const last = (await readdir(folder))
    .filter((name) => /^stderr\.\d{6}$/.test(name))
    .toSorted()
    .at(-1)
  if (!last) return null
  const handle = await open(join(folder, last), 'r')
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES + (mask ? MASK_BYTES : 0)))
    await handle.read(bytes, 0, bytes.length, size - bytes.length)
    const text = bytes.toString('utf8')
    return mask ? mask.text(text).slice(-TAIL_BYTES) : text
  } finally {
    await handle.close()
  }
}
