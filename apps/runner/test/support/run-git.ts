import { execFileSync } from 'node:child_process'

/** Runs git in a folder as somebody whom nobody knows, and answers what it printed. */
export const runGit = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.email=a@b.c', '-c', 'user.name=n', ...args], {
    stdio: 'pipe',
  }).toString()
