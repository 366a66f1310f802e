import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, trackedFiles } from './support/repository.ts'

const texts = trackedFiles
  .map((file) => ({ file, bytes: readFileSync(join(root, file)) }))
  .filter(({ bytes }) => !bytes.subarray(0, 8_000).includes(0))
  .map(({ file, bytes }) => ({ file, text: bytes.toString('utf8') }))

function find(pattern: RegExp, except: (found: string, file: string) => boolean = () => false): string[] {
  return texts.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)]
      .filter(([found]) => !except(found, file))
      .map(([found]) => `${file}: ${found.slice(0, 60)}`),
  )
}

test('no tracked file holds the path of a checkout or of a home folder', () => {
  const checkout = root.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const wide = root.split('/').length > 2
  expect(wide ? find(new RegExp(`${checkout}(?![\\w-])`, 'g')) : []).toEqual([])
  expect(
    find(/(?<![\w.])\/(?:Users|workspace)\/[\w.-]+\/|(?<![\w.])\/work\/[\w.-]+|(?<![\w.])\/root\/[\w.-]+/g),
  ).toEqual([])
})

test('no tracked file names a package registry', () => {
  const hosts = /https?:\/\/[\w.-]*(?:registry|npmjs|artifactory|nexus|verdaccio|codeartifact)[\w.-]*/gi
  expect(find(hosts)).toEqual([])
  expect(trackedFiles.filter((file) => /(^|\/)\.npmrc$/.test(file))).toEqual([])
})

test('the lockfile names no place to download from', () => {
  const lockfile = texts.find(({ file }) => file === 'package-lock.json')?.text ?? ''
  const resolved = [...lockfile.matchAll(/"resolved": "([^"]+)"/g)].map(([, from]) => from)
  expect(resolved.filter((from) => !/^(apps|packages)\//.test(from ?? ''))).toEqual([])
})

test('no tracked file holds a secret', () => {
  const secrets = [
    /\bsk_machine_[\w-]{40,}/g,
    /\b(?:bt|bl|bs)_[\w-]{43}\b/g,
    /\bsk_hook_[0-9a-f]{64}\b/g,
    /-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----/g,
    /\bgh[pousr]_[A-Za-z0-9]{36}\b/g,
    /\bsk-ant-[\w-]{24,}/g,
    /\bAKIA[0-9A-Z]{16}\b/g,
    /\bxox[abprs]-[\w-]{20,}/g,
    /:\/\/[^\s/:@'"`$<{]+:[^\s/:@'"`$<{]{8,}@(?!127\.0\.0\.1|localhost)/g,
  ]
  for (const secret of secrets) expect(find(secret)).toEqual([])
})

test('no tracked file is a log, a build or an editor’s own', () => {
  const odd =
    /(^|\/)(node_modules|dist|coverage|\.turbo|\.idea|\.vscode|\.DS_Store)(\/|$)|\.log$|\.tsbuildinfo$|(^|\/)\.env/
  expect(trackedFiles.filter((file) => odd.test(file))).toEqual([])
})
