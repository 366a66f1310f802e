import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { findExecutable } from '../agents/find-executable.ts'
import { launchdPlist, serviceName, systemdUnit } from './service-unit.ts'

const spec = {
  profile: 'default',
  node: '/opt/my node/100%/bin/node',
  entry: '/home/ada/$HOME "x"\\/baton.mjs',
  path: '/usr/bin:/home/ada/a & b',
  environment: { BATON_HOME: '/home/ada/50%' },
}

test('no character of a path means anything to systemd', () => {
  const unit = systemdUnit(spec)
  expect(unit).toContain(
    'ExecStart="/opt/my node/100%%/bin/node" "/home/ada/$$HOME \\"x\\"\\\\/baton.mjs" "up" "--foreground" "--profile" "default"\n',
  )
  expect(unit).toContain('Environment="BATON_HOME=/home/ada/50%%"\n')
})

test('no character of a path means anything to launchd', () => {
  const plist = launchdPlist(spec)
  expect(plist).toContain('<string>/opt/my node/100%/bin/node</string>')
  expect(plist).toContain('<key>PATH</key><string>/usr/bin:/home/ada/a &amp; b</string>')
})

test('each profile has a service of its own', () => {
  expect([serviceName('default'), serviceName('staging')]).toEqual(['baton-runner', 'baton-runner-staging'])
})

test('systemd takes the unit as it is', async ({ skip }) => {
  const analyze = await findExecutable('systemd-analyze', process.env.PATH ?? '')
  if (!analyze) return skip('there is no systemd-analyze here')
  const folder = await mkdtemp(join(tmpdir(), 'baton-unit-'))
  try {
    const file = join(folder, 'baton-runner.service')
    await writeFile(file, systemdUnit({ ...spec, node: process.execPath, entry: '/a b/baton.mjs' }))
    const { stderr } = await promisify(execFile)(analyze, ['verify', '--man=no', file])
    expect(stderr).not.toContain('baton-runner')
  } finally {
    await rm(folder, { recursive: true })
  }
})
