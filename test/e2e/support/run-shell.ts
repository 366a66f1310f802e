import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What a person gets who pastes these lines into a shell. Throws when the last one fails. */
export async function runShell(lines: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', lines])
  return stdout
}
