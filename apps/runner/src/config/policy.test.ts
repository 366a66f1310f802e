import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultPolicy, isFolderAllowed, parsePolicy } from './policy.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'baton-policy-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

test('the default policy can be read back and keeps its meaning', () => {
  const policy = defaultPolicy({ demo: { argv: ['/usr/bin/true'], format: 'stream-json' } })
  expect(parsePolicy('policy.json', JSON.stringify(policy))).toEqual({ ok: true, value: policy })
})

test('a bare argv is a command that prints text', () => {
  const read = parsePolicy(
    'p',
    '{"folders":[],"runtimes":[],"permissionModes":[],"commands":{"x":["/bin/echo"]}}',
  )
  expect(read.ok && read.value.commands.x).toEqual({ argv: ['/bin/echo'], format: 'text' })
})

test('a broken policy names every problem at once, unknown fields among them', () => {
  const read = parsePolicy(
    'policy.json',
    '{"folders":["work"],"runtimes":["claud"],"permissionModes":[],"maxWallMS":5,"environment":["A=B"],"commands":{"x":["echo"]}}',
  )
  expect(read.ok).toBe(false)
  const problems = read.ok ? '' : read.problems.join('\n')
  for (const word of ['folders.0', 'runtimes.0', 'unknown field "maxWallMS"', 'environment.0', 'commands.x'])
    expect(problems).toContain(word)
})

test('text that is not JSON is said to be that', () => {
  expect(parsePolicy('policy.json', '{')).toMatchObject({
    ok: false,
    problems: [expect.stringContaining('is not JSON')],
  })
})

test('a folder is allowed inside an allowed one, never beside it or through a link out of it', async () => {
  const root = join(home, 'work')
  await mkdir(join(root, 'inside'), { recursive: true })
  await mkdir(join(home, 'work-other'))
  await symlink(join(home, 'work-other'), join(root, 'link'))
  const policy = { ...defaultPolicy(), folders: ['~/work'] }
  const allowed = (folder: string) => isFolderAllowed(policy, folder, home)
  expect(await allowed(root)).toBe(true)
  expect(await allowed(join(root, 'inside'))).toBe(true)
  expect(await allowed(join(root, 'not-there', 'yet'))).toBe(true)
  expect(await allowed(join(home, 'work-other'))).toBe(false)
  expect(await allowed(join(root, 'link'))).toBe(false)
  expect(await allowed(join(root, 'link', 'deeper'))).toBe(false)
  expect(await allowed(`${root}/inside/../../work-other`)).toBe(false)
  expect(await allowed(`${root}/missing/../../work-other`)).toBe(false)
})
