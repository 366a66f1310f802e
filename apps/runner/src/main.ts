#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { version } from './version.ts'

enableCompileCache()

const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.write(`${version}\n`)
} else {
  const { runCli } = await import('./cli/run-cli.ts')
  process.exitCode = await runCli(words)
}
