import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@baton/service'
import { expect, test } from 'vitest'
import { changePolicy } from './cli/change-policy.ts'
import { profilePaths } from './config/paths.ts'
import { readPolicy } from './config/policy.ts'
import { createKnownRuntimes } from './known-runtimes.ts'

test('a program that changed is asked again before it gets work, and the relay hears of it', async () => {
  const home = await mkdtemp(join(tmpdir(), 'baton-known-'))
  try {
    const file = join(home, 'opencode')
    const install = async (version: string, seconds: number) => {
      await writeFile(file, `#!/bin/sh\necho ${version}\n`)
      await chmod(file, 0o755)
      await utimes(file, seconds, seconds)
    }
    const paths = profilePaths({ config: home, state: home, data: home, cache: home }, 'default')
    await mkdir(paths.stateFolder, { recursive: true })
    await install('1.0.0', 1_000)
    let told = 0
    const known = await createKnownRuntimes(
      paths,
      async () => ({ ok: false, problems: [] }),
      { PATH: `${home}:/usr/bin:/bin`, HOME: home },
      async () => {
        told += 1
      },
      createLogger({ name: 'test', level: 'fatal' }),
    )
    const version = () => known.now().find((one) => one.runtime === 'opencode')?.version
    await known.freshen('opencode')
    expect([version(), told]).toEqual(['1.0.0', 0])
    await install('2.0.0', 2_000)
    await Promise.all([known.freshen('opencode'), known.freshen('opencode')])
    expect([version(), told]).toEqual(['2.0.0', 1])
  } finally {
    await rm(home, { recursive: true })
  }
})

test('a command that the policy file was given is known without a restart', async () => {
  const home = await mkdtemp(join(tmpdir(), 'baton-known-'))
  const paths = profilePaths({ config: home, state: home, data: home, cache: home }, 'default')
  await mkdir(paths.stateFolder, { recursive: true })
  await changePolicy(paths.policyFile, (policy) => policy)
  const changed = Promise.withResolvers<void>()
  const known = await createKnownRuntimes(
    paths,
    () => readPolicy(paths.policyFile),
    { PATH: '/usr/bin:/bin', HOME: home },
    async () => changed.resolve(),
    createLogger({ name: 'test', level: 'fatal' }),
  )
  const commands = () => known.now().find((one) => one.runtime === 'command')?.commands
  try {
    await known.start()
    expect(commands()).toEqual([])
    await changePolicy(paths.policyFile, (policy) => ({
      ...policy,
      commands: { shout: { argv: ['/bin/cat'], format: 'text' } },
    }))
    await changed.promise
    expect(commands()).toEqual(['shout'])
  } finally {
    await known.stop()
    await rm(home, { recursive: true })
  }
})
