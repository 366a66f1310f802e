import { access, constants, glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentCli } from './agent-clis.ts'

/** The CLI's program below an install folder, if it is there in the pinned version and may be executed. */
export async function findProgram(
  folder: string,
  cli: AgentCli,
): Promise<{ path: string; version: string } | undefined> {
  const modules = join(folder, 'node_modules')
  if ((await installedVersion(join(modules, cli.package))) !== cli.version) return undefined
  for (const pattern of cli.programs) {
    for await (const found of glob(pattern, { cwd: modules })) {
      const path = join(modules, found)
      if (await isExecutable(path)) return { path, version: cli.version }
    }
  }
  return undefined
}

async function installedVersion(packageFolder: string): Promise<string | undefined> {
  try {
    return JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')).version
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
