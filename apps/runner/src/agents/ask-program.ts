import { execa } from 'execa'

/** How long a program may take to answer a question about itself. */
export const ASK_MS = 5_000

export type Answer =
  | { answered: true; exitCode: number; stdout: string; stderr: string }
  | { answered: false; why: string }

/** Runs a program that answers a question about itself and ends: with this environment alone, and without input. */
export async function askProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  limitMs = ASK_MS,
  cwd?: string,
): Promise<Answer> {
  const done = await execa(file, args, {
    ...(cwd !== undefined && { cwd }),
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: limitMs,
    forceKillAfterDelay: 500,
    maxBuffer: 256 * 1024,
  })
  if (done.timedOut) return { answered: false, why: `it gave no answer within ${limitMs / 1_000} s` }
  if (done.exitCode === undefined)
    return { answered: false, why: done.originalMessage ?? done.shortMessage ?? 'it ended' }
  return { answered: true, exitCode: done.exitCode, stdout: done.stdout, stderr: done.stderr }
}

/** The version number that `<file> --version` prints, or null when it does not answer. */
export async function askVersion(
  file: string,
  env: Readonly<Record<string, string>>,
  limitMs = ASK_MS,
): Promise<string | null> {
  const answer = await askProgram(file, ['--version'], env, limitMs)
  if (!answer.answered || answer.exitCode !== 0) return null
  return /\d+\.\d+\.\d+[\w.+-]*/.exec(answer.stdout)?.[0] ?? null
}
