import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** pg-boss asks for a newer rrule-temporal than some registries have; only its RRULE schedules use it. */
const PACKAGE = {
  private: true,
  dependencies: { 'graphile-worker': '0.18.0', 'pg-boss': '12.38.0', pg: '8.23.1' },
  overrides: { 'rrule-temporal': '2.2.7' },
}
const cache = fileURLToPath(new URL('../../../node_modules/.cache/baton-peers/', import.meta.url))

/**
 * Installs the job queues that Baton is compared with, once, below `node_modules/.cache`: they are no dependencies of
 * the project. Answers the folder, or why they could not be installed.
 */
export async function installPeers(): Promise<{ folder: string } | { missing: string }> {
  const wanted = JSON.stringify(PACKAGE)
  const folder = join(cache, 'installed')
  const present = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null)
  if (present === wanted) return { folder }
  await mkdir(cache, { recursive: true })
  const staging = await mkdtemp(join(cache, 'staging-'))
  try {
    await writeFile(join(staging, 'package.json'), wanted)
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
    await promisify(execFile)('npm', ['install', ...flags], { cwd: staging, timeout: 180_000 })
    await writeFile(join(staging, 'package.json'), wanted)
    await rm(folder, { recursive: true, force: true })
    await rename(staging, folder)
    return { folder }
  } catch (error) {
    return {
      missing: String((error as { stderr?: string }).stderr || (error as Error).message).slice(0, 300),
    }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}
