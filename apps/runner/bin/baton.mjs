#!/usr/bin/env node
// The `baton` command. In a checkout the bundle is used while it is newer than the sources it was made from; without it
// the sources run as they stand.
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

await import(bundleIsCurrent() ? '../dist/baton.mjs' : '../src/main.ts')

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
