#!/usr/bin/env node
// The `baton` command. In a checkout the bundle is used while it is newer than the sources it was made from; without it
// the sources run as they stand. Under a Node that is too old for both, the one that the packages brought is used.
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const bundle = at('../dist/baton.mjs')
const sources = [
  '../src',
  '../../../packages/protocol/src',
  '../../../packages/sdk/src',
  '../../../packages/db/src',
  '../../../packages/service/src',
  '../../../packages/webhooks/src',
].map(at)

const NEEDED = 24
if (Number(process.versions.node.split('.')[0]) >= NEEDED)
  await import(bundleIsCurrent() ? '../dist/baton.mjs' : '../src/main.ts')
else runByPinnedNode()

function runByPinnedNode() {
  const node = at('../../../node_modules/.bin/node')
  if (modifiedAt(node) === 0) {
    process.stderr.write(`Baton needs Node ${NEEDED} or newer, and this is ${process.version}.\n`)
    process.exitCode = 2
    return
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both: it is the other one that decides. What comes to this one alone goes on to it.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
}

function bundleIsCurrent() {
  const built = modifiedAt(bundle)
  return built > 0 && sources.every((folder) => newestIn(folder) <= built)
}

function newestIn(folder) {
  if (modifiedAt(folder) === 0) return 0
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return Math.max(
    0,
    ...files.filter((file) => file.isFile()).map((file) => modifiedAt(`${file.parentPath}/${file.name}`)),
  )
}

/** 0 when there is none. */
function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
