import { afterAll, beforeAll, expect } from 'vitest'
import { runBaton } from './run-command.ts'
import { type RunningDev, startDev } from './start-dev.ts'

/** `npm start` in an empty home for the tests of this file, with its command line. */
export function withDev() {
  const dev = {} as RunningDev
  beforeAll(async () => {
    Object.assign(dev, await startDev())
  })
  afterAll(() => dev[Symbol.asyncDispose]?.())
  return {
    dev,

    /** Runs a command with --json under a pipe; stdout must be one JSON value and nothing else. */
    data: async (...args: string[]) => {
      const { code, stdout, stderr } = await dev.command([...args, '--json'])
      expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
      return JSON.parse(stdout)
    },

    /** Runs a command that must fail; gives its exit code and the one JSON error on stderr. */
    failure: async (args: string[], env: Record<string, string> = {}) => {
      const { code, stdout, stderr } = await runBaton([...args, '--json'], { env: { ...dev.env, ...env } })
      expect(stdout).toBe('')
      const { error } = JSON.parse(stderr)
      expect(error.message).toMatch(/\S/)
      return { code, error: error.code as string, retryable: error.retryable as boolean }
    },
  }
}
