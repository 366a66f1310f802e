import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'

type Packages = Record<string, Record<string, unknown>>

function complete(packages: Packages): Packages {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-lockfile-'))
  const file = path.join(folder, 'package-lock.json')
  fs.writeFileSync(file, JSON.stringify({ lockfileVersion: 3, packages }))
  execFileSync(process.execPath, [path.join(import.meta.dirname, 'lock-complete.mjs'), file], {
    stdio: 'pipe',
  })
  const completed = JSON.parse(fs.readFileSync(file, 'utf8')) as { packages: Packages }
  fs.rmSync(folder, { recursive: true, force: true })
  return completed.packages
}

test('a platform package that the registry lacked gets an entry with its platform', () => {
  const packages = complete({
    '': { name: 'x' },
    'node_modules/tool': {
      version: '1.2.3',
      dev: true,
      license: 'MIT',
      optionalDependencies: {
        '@tool/linux-x64-musl': '1.2.3',
        '@tool/darwin-arm64': '^1.2.3',
        'tool-windows-64': '1.2.3',
      },
    },
  })
  const shared = { version: '1.2.3', dev: true, license: 'MIT', optional: true }
  expect(packages['node_modules/@tool/linux-x64-musl']).toEqual({
    ...shared,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['musl'],
  })
  expect(packages['node_modules/@tool/darwin-arm64']).toEqual({ ...shared, os: ['darwin'], cpu: ['arm64'] })
  expect(packages['node_modules/tool-windows-64']).toEqual({ ...shared, os: ['win32'], cpu: ['x64'] })
})

test('what the lockfile has already, also further in, stays as it is', () => {
  const before = {
    '': { name: 'x' },
    'node_modules/@tool/linux-x64': { version: '1.2.3', integrity: 'sha512-x' },
    'node_modules/@scope/tool': {
      version: '1.2.3',
      optionalDependencies: { '@tool/linux-x64': '1.2.3', near: '1.0.0' },
    },
    'node_modules/@scope/tool/node_modules/near': { version: '1.0.0' },
  }
  expect(complete(before)).toEqual(before)
})

test('the lockfile of this repository is complete', () => {
  const text = fs.readFileSync(path.resolve(import.meta.dirname, '../../package-lock.json'), 'utf8')
  const { packages } = JSON.parse(text) as { packages: Packages }
  expect(Object.keys(complete(packages))).toEqual(Object.keys(packages))
})
