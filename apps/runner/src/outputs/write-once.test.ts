import { execFileSync } from 'node:child_process'
import {
  link,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultPolicy } from '../config/policy.ts'
import { openInside } from './open-inside.ts'
import { createOrderRecords } from './order-records.ts'
import { resolveOutputPath } from './resolve-output-path.ts'
import { writeOnce } from './write-once.ts'

let home: string
let workspace: string
let outside: string

beforeEach(async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'baton-output-')))
  home = join(folder, 'home')
  workspace = join(home, 'project')
  outside = join(folder, 'outside')
  await mkdir(workspace, { recursive: true })
  await mkdir(outside)
  await writeFile(join(outside, 'secret'), 'canary\n')
})
afterEach(() => rm(join(home, '..'), { recursive: true, force: true }))

const resolve = (path: string, of: string | null = workspace) =>
  resolveOutputPath(path, of, {
    policy: { ...defaultPolicy(), folders: ['~'] },
    homeFolder: home,
    workFolders: [join(home, '.baton/data/workspaces')],
    ownFolders: [join(home, 'baton/config')],
  })

test.each([
  ['report.md', 'project/report.md'],
  ['deep/er/report.md', 'project/deep/er/report.md'],
  ['.hidden/report.md', 'project/.hidden/report.md'],
  ['~/reports/all.md', 'reports/all.md'],
])('%s is a place to write', async (path, expected) => {
  const place = await resolve(path)
  if ('problem' in place) throw new Error(place.problem)
  expect(join(place.root, ...place.parts)).toBe(join(home, expected))
})

test.each([
  '../up.md',
  'a/../../up.md',
  '~/../up.md',
  '/etc/passwd',
  '/etc/cron.d/x',
  '~/.ssh/authorized_keys',
  '~/.bashrc',
  '~/x/.config/y',
  '.git/hooks/pre-commit',
  'a/.GIT/config',
  '~/baton/config/profiles/default.json',
  '',
  '/',
  '~',
  '~/',
  'a/',
  'a\0b',
  '..\\up.md',
])('T-57: "%s" is no place to write', async (path) => {
  expect(await resolve(path)).toHaveProperty('problem')
})

test('T-57: a path that only begins like the workspace is outside it', async () => {
  await mkdir(`${workspace}-other`)
  const place = await resolve(`${workspace}-other/x`)
  expect('problem' in place || place.root).toBe(home)
})

test('a relative path without a workspace, or with one outside the policy, says what to do', async () => {
  expect(await resolve('x.md', null)).toMatchObject({ problem: expect.stringContaining('absolute path') })
  expect(await resolve('x.md', outside)).toMatchObject({ problem: expect.stringContaining('absolute path') })
})

test.each(['folder', 'file', 'hard link', 'fifo', 'folder as file'])(
  'T-58: a %s in the way is not followed',
  async (kind) => {
    const place = { root: workspace, parts: ['a', 'b.md'] }
    if (kind === 'folder') await symlink(outside, join(workspace, 'a'))
    else await mkdir(join(workspace, 'a'))
    if (kind === 'file') await symlink(join(outside, 'secret'), join(workspace, 'a/b.md'))
    if (kind === 'hard link') await link(join(outside, 'secret'), join(workspace, 'a/b.md'))
    if (kind === 'fifo') execFileSync('mkfifo', [join(workspace, 'a/b.md')])
    if (kind === 'folder as file') await mkdir(join(workspace, 'a/b.md'))
    await expect(openInside(place)).rejects.toThrow('is not written')
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('canary\n')
  },
)

test('T-58: while a folder is swapped for a link again and again, not one byte lands outside', async () => {
  const place = { root: workspace, parts: ['a', 'b.md'] }
  const [real, aside] = [join(workspace, 'a'), join(workspace, 'aside')]
  await mkdir(real)
  let swapping = true
  let swaps = 0
  const swapper = (async () => {
    // The one who writes may make a folder or a file at any moment in between, so each step may find something there.
    const nothing = () => {}
    while (swapping) {
      await rm(aside, { recursive: true, force: true }).catch(nothing)
      await rename(real, aside).catch(nothing)
      await symlink(outside, real).then(() => swaps++, nothing)
      await rm(real, { recursive: true, force: true }).catch(nothing)
      await rename(aside, real).catch(nothing)
      await mkdir(real, { recursive: true }).catch(nothing)
    }
  })()
  const ends = { written: 0, refused: 0 }
  for (let tries = 0; tries < 2_000; tries++) {
    try {
      const { file } = await openInside(place)
      await file.write('x')
      await file.close()
      ends.written++
    } catch {
      ends.refused++
    }
  }
  swapping = false
  await swapper
  expect(swaps).toBeGreaterThan(50)
  expect(ends.written).toBeGreaterThan(0)
  await expect(stat(join(outside, 'b.md'))).rejects.toThrow('ENOENT')
})

const order = (content: string, mode: 'append' | 'overwrite' = 'append', id = 'dsp_1') => ({
  id,
  content,
  mode,
})
const recordsIn = () => createOrderRecords(join(home, 'orders'))
const place = () => ({ root: workspace, parts: ['log.txt'] })
const text = () => readFile(join(workspace, 'log.txt'), 'utf8')

test('an order that comes again is written once', async () => {
  for (let times = 0; times < 3; times++) await writeOnce(order('one\n'), place(), recordsIn())
  await writeOnce(order('two\n', 'append', 'dsp_2'), place(), recordsIn())
  expect(await text()).toBe('one\ntwo\n')
  await writeOnce(order('new\n', 'overwrite', 'dsp_3'), place(), recordsIn())
  expect(await text()).toBe('new\n')
})

test('whatever a crash leaves of an append, the content stands there once afterwards', async () => {
  const content = 'line one\nline two\n'
  for (let written = 0; written <= content.length; written++) {
    for (const after of ['', 'somebody else\n']) {
      if (after !== '' && written > 0 && written < content.length) continue
      const id = `dsp_${written}_${after.length}`
      await writeFile(join(workspace, 'log.txt'), `before\n${content.slice(0, written)}${after}`)
      await recordsIn().write(id, { state: 'begun', path: join(workspace, 'log.txt'), size: 7 })
      await writeOnce(order(content, 'append', id), place(), recordsIn())
      const standing = await text()
      expect(standing.split(content)).toHaveLength(2)
      expect(standing.replace(content, '')).toBe(`before\n${after}`)
    }
  }
})
