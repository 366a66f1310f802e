import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Prepared } from '../agents/runtime.ts'
import { readTextFile, writePrivateFile } from '../config/private-file.ts'
import type { Exit } from '../processes/supervised-run.ts'
import { runFolderFiles } from './run-folder.ts'

/** How an agent was started and ended, for a person who looks for the cause. Names of its environment, never values. */
export type SpawnReport = {
  runtime: string
  file: string
  shown: string[]
  version: string | null
  cwd: string
  environmentNames: string[]
  exit: Exit | null
  stderrTail: string | null
}

const TAIL_BYTES = 2_048

/** Written before the agent is started, so that a runner that adopts it can still say what was started. */
export async function writeSpawnReport(
  folder: string,
  runtime: string,
  cwd: string,
  prepared: Prepared,
): Promise<void> {
  const { file, env } = prepared.command
  const report: SpawnReport = {
    runtime,
    file,
    shown: prepared.shown,
    version: prepared.version,
    cwd,
    environmentNames: Object.keys(env).toSorted(),
    exit: null,
    stderrTail: null,
  }
  await writePrivateFile(runFolderFiles(folder).report, JSON.stringify(report, null, 2))
}

export async function readSpawnReport(folder: string): Promise<SpawnReport | null> {
  const text = await readTextFile(runFolderFiles(folder).report)
  return text === null ? null : (JSON.parse(text) as SpawnReport)
}

export async function addExitToReport(folder: string, exit: Exit): Promise<void> {
  const report = await readSpawnReport(folder)
  if (!report) return
  const text = JSON.stringify({ ...report, exit, stderrTail: await readStderrTail(folder) }, null, 2)
  await writePrivateFile(runFolderFiles(folder).report, text)
}

async function readStderrTail(folder: string): Promise<string | null> {
  const last = (await readdir(folder))
    .filter((name) => /^stderr\.\d{6}$/.test(name))
    .toSorted()
    .at(-1)
  if (!last) return null
  const handle = await open(join(folder, last), 'r')
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
    await handle.read(bytes, 0, bytes.length, size - bytes.length)
    return bytes.toString('utf8')
  } finally {
    await handle.close()
  }
}
