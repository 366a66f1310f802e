import { execa } from 'execa'

/** How long a CLI may take to answer a question about itself. */
export const PROBE_MS = 5_000

/** The version number that `<file> --version` prints, or null when it does not answer in time. */
export async function probeVersion(file: string, env: Record<string, string>): Promise<string | null> {
  const answer = await execa(file, ['--version'], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: PROBE_MS,
    forceKillAfterDelay: 500,
    maxBuffer: 64 * 1024,
  })
  if (answer.failed) return null
  return /\d+\.\d+\.\d+[\w.+-]*/.exec(answer.stdout)?.[0] ?? null
}
