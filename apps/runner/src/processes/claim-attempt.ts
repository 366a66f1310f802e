import { closeSync, openSync } from 'node:fs'
import { runFiles } from './run-files.ts'

/**
 * True for exactly one caller: the supervisor that may start the agent, or an adopter that found no supervisor and
 * decides that this attempt will never start one.
 */
export function claimAttempt(runFolder: string, attempt: string): boolean {
  try {
    closeSync(openSync(runFiles(runFolder).claim(attempt), 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
