import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DIFF_BYTES, runChanges } from '@baton/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runGit } from '../../../test/support/run-git.ts'
import { cutAtFiles } from './compare-snapshots.ts'
import { recordAfter, recordBefore } from './record-changes.ts'

let place: string
let folder: string
let kept: string
const git = (...args: string[]) => runGit(folder, ...args)

beforeEach(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'baton-changes-')))
  folder = join(place, 'repo')
  kept = join(place, 'kept')
  await mkdir(folder)
  git('init', '-q', '-b', 'main')
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), `${name}\n`)
  git('add', '.')
  git('commit', '-qm', 'first')
})
afterEach(async () => {
  await rm(place, { recursive: true, force: true })
})

const put = (name: string, text: string | Buffer) => writeFile(join(folder, name), text)
const names = (changes: Awaited<ReturnType<typeof recordAfter>>) =>
  changes?.files.map(({ path, kind }) => `${kind} ${path}`)

test('what was dirty before is compared with its content before, and what was committed is named', async () => {
  await put('a', 'dirty before\n')
  await put('untracked before', 'x\n')
  await recordBefore(kept, folder)
  await put('b', 'changed\n')
  git('add', 'b')
  git('commit', '-qm', 'second: what for')
  await put('a', 'dirty before\nand again\n')
  await rm(join(folder, 'c'))
  await mkdir(join(folder, 'new'))
  await put('new/file', 'x\n')
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['modified a', 'modified b', 'deleted c', 'added new/file'])
  expect(changes).toMatchObject({
    filesChanged: 4,
    insertions: 3,
    deletions: 2,
    branch: 'main',
    diffCut: false,
  })
  expect(changes?.diff).toContain('+and again')
  expect(changes?.diff).not.toContain('+dirty before')
  expect(changes?.commits.map(({ subject }) => subject)).toEqual(['second: what for'])
  expect(changes?.headCommit).toBe(git('rev-parse', 'HEAD').trim())
  expect(changes?.baseCommit).toBe(git('rev-parse', 'HEAD~1').trim())
})

test("neither the user's index nor refs nor objects change by looking", async () => {
  await put('a', 'dirty\n')
  await put('staged', 'x\n')
  git('add', 'staged')
  const before = [await readFile(join(folder, '.git/index')), git('for-each-ref'), git('count-objects')]
  await recordBefore(kept, folder)
  await put('b', 'new content\n')
  await recordAfter(kept)
  expect([await readFile(join(folder, '.git/index')), git('for-each-ref'), git('count-objects')]).toEqual(
    before,
  )
})

test('an unchanged workspace has no changes, also when a file was only touched', async () => {
  await recordBefore(kept, folder)
  await utimes(join(folder, 'a'), 1, 1)
  expect(await recordAfter(kept)).toMatchObject({ filesChanged: 0, files: [], diff: '', undoable: false })
})

test('a file changed within the second in which it was committed, to the same size, is seen', async () => {
  await put('d', '1111\n')
  git('add', 'd')
  git('commit', '-qm', 'd')
  await recordBefore(kept, folder)
  await put('d', '2222\n')
  expect(names(await recordAfter(kept))).toEqual(['modified d'])
})

test('nothing that the repository names is executed: hooks, monitors, filters, textconv, external diff', async () => {
  const ran = join(place, 'ran')
  const trap = join(place, 'trap')
  await writeFile(trap, `#!/bin/sh\necho "$0 $*" >> "${ran}"\ncat\n`, { mode: 0o755 })
  for (const [name, value] of [
    ['core.fsmonitor', trap],
    ['core.hooksPath', place],
    ['core.sshCommand', trap],
    ['core.pager', trap],
    ['core.alternateRefsCommand', trap],
    ['diff.external', trap],
    ['diff.evil.textconv', trap],
    ['diff.evil.command', trap],
    ['filter.evil.clean', trap],
    ['filter.evil.smudge', trap],
    ['filter.evil.process', trap],
    ['filter.evil.required', 'true'],
    ['gpg.program', trap],
    ['log.showSignature', 'true'],
    ['extensions.partialClone', 'origin'],
    ['remote.origin.url', `ext::${trap}`],
    ['remote.origin.promisor', 'true'],
    ['protocol.ext.allow', 'always'],
  ] as const)
    git('config', name, value)
  for (const hook of ['post-index-change', 'reference-transaction', 'post-checkout', 'pre-commit'])
    await writeFile(join(place, hook), `#!/bin/sh\necho ${hook} >> "${ran}"\n`, { mode: 0o755 })
  await put('.gitattributes', '* filter=evil diff=evil\n')
  await rm(ran, { force: true })
  await recordBefore(kept, folder)
  await put('a', 'changed\n')
  await put('e', 'new\n')
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['modified a', 'added e'])
  expect(existsSync(ran) ? await readFile(ran, 'utf8') : '').toBe('')
  // The traps are real: whoever uses git there in the usual way runs them.
  expect(() => git('status')).toThrow('evil')
  expect(await readFile(ran, 'utf8')).toContain('trap')
})

test('settings that an agent changes during its run count for nothing', async () => {
  await recordBefore(kept, folder)
  const ran = join(place, 'ran')
  await writeFile(join(place, 'trap'), `#!/bin/sh\necho ran > "${ran}"\ncat\n`, { mode: 0o755 })
  git('config', 'filter.evil.clean', join(place, 'trap'))
  git('config', 'core.fsmonitor', join(place, 'trap'))
  git('config', 'core.worktree', '/')
  await put('.gitattributes', '* filter=evil\n')
  await put('a', 'changed\n')
  const changes = await recordAfter(kept)
  expect(changes?.repository).toBe(folder)
  expect(names(changes)).toEqual(['added .gitattributes', 'modified a'])
  expect(existsSync(ran)).toBe(false)
})

test('core.worktree does not lead out of the folder', async () => {
  const other = join(place, 'other')
  await mkdir(other)
  await writeFile(join(other, 'secret'), 'secret\n')
  git('config', 'core.worktree', other)
  await recordBefore(kept, folder)
  await put('a', 'changed\n')
  await writeFile(join(other, 'secret'), 'changed\n')
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['modified a'])
  expect(JSON.stringify(changes)).not.toContain('secret')
})

test('links are links: what they lead to is neither read nor shown', async () => {
  const outside = join(place, 'outside')
  await writeFile(outside, 'a secret of this machine\n')
  await recordBefore(kept, folder)
  await symlink(outside, join(folder, 'link'))
  await symlink(place, join(folder, 'way out'))
  await rm(join(folder, 'a'))
  await symlink(outside, join(folder, 'a'))
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['modified a', 'added link', 'added way out'])
  expect(changes?.diff).not.toContain('a secret')
  expect(changes?.diff).toContain(outside)
})

test('names with newlines, quotes, tabs, blanks and bytes that are no text', async () => {
  const odd = [
    'new\nline',
    'quo"te',
    'tab\there',
    ' blank ',
    "it's",
    'back\\slash',
    'ümläut',
    '-dash',
    ':(top)',
  ]
  await recordBefore(kept, folder)
  for (const name of odd) await put(name, 'x\n')
  await writeFile(Buffer.concat([Buffer.from(`${folder}/bytes`), Buffer.from([0xff, 0xfe])]), 'x\n')
  const changes = await recordAfter(kept)
  expect(changes?.files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([...odd, 'bytes\uFFFD\uFFFD']),
  )
  expect(changes?.filesChanged).toBe(10)
  expect(runChanges.parse(changes).files).toHaveLength(10)
})

test('a huge file is named and not read, a sparse one of many GiB neither', async () => {
  await recordBefore(kept, folder)
  await put('huge', '')
  await truncate(join(folder, 'huge'), 50 * 1024 ** 3)
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['added huge'])
  expect(changes).toMatchObject({ diff: '', diffCut: true, undoable: false })
  expect(changes?.files[0]).toMatchObject({ insertions: null, deletions: null })
})

test('a file that grows too large counts as modified, and binary files have no lines', async () => {
  await recordBefore(kept, folder)
  await truncate(join(folder, 'a'), 40 * 1024 ** 2)
  await put('image', Buffer.from([1, 0, 2, 0, 3]))
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['modified a', 'added image'])
  expect(changes?.files[1]).toMatchObject({ insertions: null, deletions: null })
})

test('submodules and repositories inside are not asked, and their settings not run', async () => {
  const ran = join(place, 'ran')
  await writeFile(join(place, 'trap'), `#!/bin/sh\necho ran > "${ran}"\n`, { mode: 0o755 })
  const inner = join(folder, 'inner')
  await mkdir(inner)
  execFileSync('git', ['-C', inner, 'init', '-q'])
  await writeFile(join(inner, 'x'), 'x\n')
  execFileSync('git', ['-C', inner, 'add', '.'])
  execFileSync('git', ['-C', inner, '-c', 'user.email=a@b', '-c', 'user.name=n', 'commit', '-qm', 'x'])
  await put('.gitmodules', '[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n\tignore = none\n')
  git('add', '.gitmodules')
  execFileSync('git', ['-C', folder, '-c', 'advice.addEmbeddedRepo=false', 'add', 'inner'], { stdio: 'pipe' })
  git('commit', '-qm', 'with a submodule')
  execFileSync('git', ['-C', inner, 'config', 'core.fsmonitor', join(place, 'trap')])
  await recordBefore(kept, folder)
  await writeFile(join(inner, 'x'), 'changed\n')
  await put('a', 'changed\n')
  await mkdir(join(folder, 'nested'))
  execFileSync('git', ['-C', join(folder, 'nested'), 'init', '-q'])
  await writeFile(join(folder, 'nested', 'y'), 'y\n')
  expect(names(await recordAfter(kept))).toEqual(['modified a'])
  expect(existsSync(ran)).toBe(false)
})

test('ignored files are left out, a conflict and a half-staged file are compared by their content', async () => {
  await put('.gitignore', 'ignored\n')
  git('checkout', '-q', '-b', 'other')
  await put('a', 'theirs\n')
  git('commit', '-qam', 'theirs')
  git('checkout', '-q', 'main')
  await put('a', 'ours\n')
  git('commit', '-qam', 'ours')
  expect(() => git('merge', 'other')).toThrow()
  await put('b', 'staged\n')
  git('add', 'b')
  await put('b', 'staged and more\n')
  await recordBefore(kept, folder)
  await put('ignored', 'x')
  expect(names(await recordAfter(kept))).toEqual([])
  await put('a', 'resolved\n')
  expect(names(await recordAfter(kept))).toEqual(['modified a'])
})

test('a renamed file is one change, a new mode another', async () => {
  await put('long', `${'line of text\n'.repeat(50)}`)
  git('add', '.')
  git('commit', '-qm', 'long')
  await recordBefore(kept, folder)
  await rename(join(folder, 'long'), join(folder, 'longer'))
  await chmod(join(folder, 'a'), 0o755)
  const changes = await recordAfter(kept)
  expect(names(changes)).toEqual(['modified a', 'renamed longer'])
  expect(changes?.files[1]?.from).toBe('long')
})

test('a long diff keeps whole files and says that it is cut', async () => {
  await recordBefore(kept, folder)
  for (const name of ['one', 'two', 'three', 'four'])
    await put(name, `${`"${name}"\t${'x'.repeat(90)}\n`.repeat(1_000)}`)
  const changes = await recordAfter(kept)
  expect(changes?.diffCut).toBe(true)
  expect(changes?.filesChanged).toBe(4)
  expect(Buffer.byteLength(JSON.stringify(changes?.diff))).toBeLessThanOrEqual(DIFF_BYTES + 2)
  const heads = changes?.diff.match(/^diff --git /gm) ?? []
  expect(heads).toHaveLength(2)
  expect(changes?.diff.match(/^\+"/gm)).toHaveLength(2_000)
})

test('a line of content that looks like a header does not cut a file in two', () => {
  const one = 'diff --git a/x b/x\n+diff --git a/y b/y\n diff --git a/z b/z\n'
  const two = 'diff --git a/q b/q\n+q\n'
  expect(cutAtFiles(one + two, 1_000, false)).toEqual({ diff: one + two, cut: false })
  expect(cutAtFiles(one + two, 1_000, true)).toEqual({ diff: one, cut: true })
  expect(cutAtFiles(one + two, 40, false)).toEqual({ diff: two, cut: true })
})

test('outside a repository files are compared too, and too many are only named', async () => {
  await rm(join(folder, '.git'), { recursive: true })
  await recordBefore(kept, folder)
  await put('a', 'changed\n')
  const changes = await recordAfter(kept)
  expect(changes).toMatchObject({
    baseCommit: null,
    headCommit: null,
    branch: null,
    commits: [],
    undoable: true,
  })
  expect(names(changes)).toEqual(['modified a'])
  const few = { files: 2, fileBytes: 1_000, bytes: 1_000 }
  await recordBefore(kept, folder, { bounds: few })
  for (const name of ['a', 'b', 'c', 'd']) await put(name, `${name} again\n`)
  const named = await recordAfter(kept, few)
  expect(names(named)).toEqual(['modified a', 'modified b', 'modified c', 'added d'])
  expect(named?.undoable).toBe(false)
})

test('too much to look at is told, and a folder inside a repository is compared alone', async () => {
  await rm(join(folder, '.git'), { recursive: true })
  for (let count = 0; count < 30; count += 1) await put(`file ${count}`, 'x')
  const bounds = { files: 1, fileBytes: 10, bytes: 10 }
  await expect(recordBefore(kept, folder, { bounds })).rejects.toThrow('more than 10 files')
  expect(await recordAfter(kept)).toBeNull()
})

test('in a linked worktree and without a first commit it works as well', async () => {
  const linked = join(place, 'linked')
  git('worktree', 'add', '-q', linked)
  await recordBefore(kept, linked)
  await writeFile(join(linked, 'a'), 'changed\n')
  expect(await recordAfter(kept)).toMatchObject({ repository: linked, filesChanged: 1, branch: 'linked' })
  const empty = join(place, 'empty')
  execFileSync('git', ['init', '-q', '-b', 'main', empty])
  await recordBefore(kept, empty)
  await writeFile(join(empty, 'first'), 'x\n')
  expect(await recordAfter(kept)).toMatchObject({ baseCommit: null, branch: 'main', filesChanged: 1 })
})
