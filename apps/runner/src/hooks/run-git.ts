import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { BatonError } from '@baton/protocol'

const run = promisify(execFile)

/** What git prints. Arguments are passed as they are; no shell is between. Rejects with `bad_input` and git's own words. */
export async function runGit(folder: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], {
      timeout: 10_000,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' },
    })
    return stdout
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: string }
    const why = code === 'ENOENT' ? 'git is not installed' : (stderr?.trim() ?? '') || String(cause)
    throw new BatonError('bad_input', `git ${args[0]} in ${folder} failed: ${why}`, { cause })
  }
}
