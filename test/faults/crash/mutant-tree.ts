import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../../..')

/**
 * A copy of the relay and its packages with some source text replaced: the mutant that a suite must find. Packages of
 * others are linked. The copy is outside node_modules because Node runs TypeScript as it stands only there.
 */
export function makeMutantTree(
  patches: { file: string; from: string; to: string }[],
): { root: string } & Disposable {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-mutant-'))
  const remove = () => fs.rmSync(root, { recursive: true, force: true })
  for (const folder of [
    'packages/protocol',
    'packages/db',
    'packages/service',
    'packages/webhooks',
    'apps/relay',
  ])
    fs.cpSync(path.join(ROOT, folder), path.join(root, folder), { recursive: true })
  fs.mkdirSync(path.join(root, 'node_modules/@baton'), { recursive: true })
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules'))) {
    if (name === '@baton') continue
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(root, 'node_modules', name))
  }
  for (const name of ['protocol', 'db', 'service', 'webhooks'])
    fs.symlinkSync(path.join(root, 'packages', name), path.join(root, 'node_modules/@baton', name))
  for (const { file, from, to } of patches) {
    const source = fs.readFileSync(path.join(root, file), 'utf8')
    if (!source.includes(from)) {
      remove()
      throw new Error(`The mutant fits nowhere any more: ${file} has no "${from}".`)
    }
    fs.writeFileSync(path.join(root, file), source.replaceAll(from, to))
  }
  return { root, [Symbol.dispose]: remove }
}
