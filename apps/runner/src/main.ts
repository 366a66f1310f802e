#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { readForegroundWords } from './cli/read-foreground-words.ts'
import { isBundle, supervisorFile } from './entry.ts'
import { version } from './version.ts'

enableCompileCache()
// In the bundle the supervisor is a file of its own; in a checkout its starter finds it beside itself.
if (isBundle) process.env.BATON_ENTRY ??= supervisorFile

const words = process.argv.slice(2)
const foreground = readForegroundWords(words)
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.write(`${version}\n`)
} else if (foreground) {
  const { runForeground } = await import('./cli/foreground.ts')
  process.exitCode = await runForeground(foreground)
} else {
  const { runCli } = await import('./cli/run-cli.ts')
  process.exitCode = await runCli(words)
}
