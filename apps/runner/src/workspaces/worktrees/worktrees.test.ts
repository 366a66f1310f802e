import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunId } from '@baton/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runGit } from '../../../test/support/run-git.ts'
import { cleanWorktrees, judgeWorktrees } from './clean-worktrees.ts'
import { createWorktree } from './create-worktree.ts'
import { createWorktrees, type Worktrees } from './create-worktrees.ts'
import { endWorktree, recordWorktreeBefore } from './end-worktree.ts'
import { undoWorktree } from './undo-worktree.ts'
import { readWorktree, type WorktreeRecord, writeWorktree } from './worktree-record.ts'

let place: string
let repository: string
let worktrees: Worktrees
let count = 0
const signal = AbortSignal.timeout(60_000)

const git = (...args: string[]) => runGit(repository, ...args)

beforeEach(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'baton-worktrees-')))
  repository = join(place, 'project')
  worktrees = createWorktrees(join(place, 'data'))
  await mkdir(repository)
  git('init', '-q', '-b', 'main')
  await writeFile(join(repository, 'a'), 'a\n')
  await writeFile(join(repository, '.gitignore'), 'ignored\n')
  git('add', '.')
  git('commit', '-qm', 'first')
})
afterEach(() => rm(place, { recursive: true, force: true }))

const newRun = (): RunId => `run_${String(++count).padStart(32, '0')}`

function create(only: { repository?: string; ref?: string | null; runId?: RunId } = {}) {
  const wanted = { agentKey: 'claude', jobKey: null, repository, ref: null, runId: newRun(), ...only }
  return createWorktree(
    worktrees.folders,
    { cache: worktrees.repositories, turns: worktrees.turns },
    wanted,
    signal,
  )
}

async function made(only: Parameters<typeof create>[0] = {}): Promise<WorktreeRecord & { folder: string }> {
  const record = await create(only)
  if ('errorKind' in record) throw new Error(record.message)
  await recordWorktreeBefore(changesOf(record), record)
  return record as WorktreeRecord & { folder: string }
}
const changesOf = (record: WorktreeRecord) => join(place, 'changes', record.runId)
const end = (record: WorktreeRecord) => endWorktree(worktrees.folders, record, changesOf(record))
const clean = (force = false, dryRun = false) =>
  cleanWorktrees(worktrees.folders, { now: Date.now(), keepFolderMs: null, force, dryRun })
const states = async () => (await judgeWorktrees(worktrees.folders)).map(({ state }) => state.state)

test('a worktree has a branch of its own, and the repository stays as it is', async () => {
  await writeFile(join(repository, 'a'), 'dirty in the folder\n')
  const before = [git('status', '--porcelain'), git('rev-parse', 'HEAD'), git('branch', '--show-current')]
  const record = await made()
  expect(await readFile(join(record.folder, 'a'), 'utf8')).toBe('a\n')
  expect(runGit(record.folder, 'branch', '--show-current').trim()).toMatch(/^baton\/claude\/[0-9a-f]{12}$/)
  expect(runGit(record.folder, 'status', '--porcelain')).toBe('')
  expect([git('status', '--porcelain'), git('rev-parse', 'HEAD'), git('branch', '--show-current')]).toEqual(
    before,
  )
})

test('what a run leaves uncommitted is committed onto its branch, with all that it had committed', async () => {
  const record = await made()
  await writeFile(join(record.folder, 'b'), 'b\n')
  runGit(record.folder, 'add', '.')
  runGit(record.folder, 'commit', '-qm', 'by the agent')
  await writeFile(join(record.folder, 'a'), 'left\n')
  await writeFile(join(record.folder, 'new "file"'), 'left too\n')
  await writeFile(join(record.folder, 'ignored'), 'x')
  const changes = await end(record)
  expect(changes).toMatchObject({ filesChanged: 3, worktree: record.folder, baseCommit: record.base })
  expect(changes?.commits.map(({ subject }) => subject)).toEqual([
    'Keep what the run left uncommitted',
    'by the agent',
  ])
  expect(git('log', '-1', '--format=%an%n%(trailers:key=Agent,valueonly)', record.branch).trim()).toBe(
    'Baton\nclaude',
  )
  expect(git('show', `${record.branch}:a`)).toBe('left\n')
  expect(git('show', `${record.branch}:new "file"`)).toBe('left too\n')
  expect(runGit(record.folder, 'status', '--porcelain')).toBe('')
  expect(changes?.headCommit).toBe(git('rev-parse', record.branch).trim())
  expect(await states()).toEqual(['only_here'])
})

test('a run that changed nothing leaves nothing: no folder, no branch, no entry', async () => {
  const record = await made()
  expect(await end(record)).toMatchObject({ filesChanged: 0, worktree: null, commits: [] })
  expect(existsSync(record.folder)).toBe(false)
  expect(git('branch', '--list', 'baton/*')).toBe('')
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
})

test('commits on a detached HEAD or another branch are not lost', async () => {
  const record = await made()
  runGit(record.folder, 'checkout', '-q', '--detach')
  await writeFile(join(record.folder, 'detached'), 'x\n')
  runGit(record.folder, 'add', '.')
  runGit(record.folder, 'commit', '-qm', 'detached')
  const tip = runGit(record.folder, 'rev-parse', 'HEAD').trim()
  expect((await end(record))?.headCommit).toBe(tip)
  const other = await made()
  runGit(other.folder, 'checkout', '-q', '--orphan', 'side')
  await writeFile(join(other.folder, 'orphan'), 'x\n')
  runGit(other.folder, 'add', '.')
  runGit(other.folder, 'commit', '-qm', 'orphan')
  await writeFile(join(other.folder, 'left'), 'x\n')
  await end(other)
  expect(git('show', `${other.branch}:orphan`)).toBe('x\n')
  expect(git('show', `${other.branch}:left`)).toBe('x\n')
})

test('it is cleaned once its commits are on another branch, or the same content after a squash', async () => {
  const merged = await made()
  await writeFile(join(merged.folder, 'b'), 'b\n')
  await end(merged)
  const squashed = await made()
  await writeFile(join(squashed.folder, 'c'), 'c\n')
  await end(squashed)
  const alone = await made()
  await writeFile(join(alone.folder, 'd'), 'd\n')
  await end(alone)
  expect((await clean()).map(({ action }) => action)).toEqual(['kept', 'kept', 'kept'])
  git('merge', '-q', '--no-edit', merged.branch)
  git('merge', '-q', '--squash', squashed.branch)
  git('commit', '-qm', 'squashed')
  const planned = await clean(false, true)
  expect(planned.map(({ state, action }) => [state.state, action])).toEqual([
    ['only_here', 'kept'],
    ['reachable', 'removed'],
    ['reachable', 'removed'],
  ])
  expect(existsSync(merged.folder)).toBe(true)
  await clean()
  expect([merged, squashed, alone].map(({ folder }) => existsSync(folder))).toEqual([false, false, true])
  expect(git('branch', '--list', 'baton/*').trim().split('\n')).toHaveLength(1)
  const forced = await clean(true)
  expect(forced).toMatchObject([{ action: 'removed', state: { commits: 1 } }])
  expect(existsSync(alone.folder)).toBe(false)
})

test('files that a person changed later, and repositories inside, are not cleaned away', async () => {
  const dirty = await made()
  await writeFile(join(dirty.folder, 'b'), 'b\n')
  await end(dirty)
  git('merge', '-q', '--no-edit', dirty.branch)
  await writeFile(join(dirty.folder, 'note'), 'by a person\n')
  const nested = await made()
  await mkdir(join(nested.folder, 'inner'))
  runGit(join(nested.folder, 'inner'), 'init', '-q')
  await writeFile(join(nested.folder, 'inner', 'x'), 'x\n')
  await end(nested)
  expect((await clean()).map(({ state, action }) => [state.state, action, state.files])).toEqual([
    ['nested', 'kept', []],
    ['dirty', 'kept', ['note']],
  ])
})

test('an old folder goes and its branch stays', async () => {
  const record = await made()
  await writeFile(join(record.folder, 'b'), 'b\n')
  await end(record)
  const later = { now: Date.now() + 1_000, keepFolderMs: 500, force: false, dryRun: false }
  expect(await cleanWorktrees(worktrees.folders, later)).toMatchObject([{ action: 'folder_removed' }])
  expect(existsSync(record.folder)).toBe(false)
  expect(git('show', `${record.branch}:b`)).toBe('b\n')
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
  expect(await cleanWorktrees(worktrees.folders, later)).toMatchObject([{ action: 'kept' }])
})

test('an undo takes worktree and branch away and keeps the tip; a redo makes both again', async () => {
  const record = await made()
  await writeFile(join(record.folder, 'b'), 'b\n')
  await end(record)
  const tip = git('rev-parse', record.branch).trim()
  const act = (kind: 'undo' | 'redo', dryRun = false) =>
    undoWorktree(worktrees.folders, worktrees.turns, record.runId, kind, dryRun)
  expect((await act('undo', true)).message).toContain('Would remove')
  expect((await act('undo')).state).toBe('done')
  expect(existsSync(record.folder)).toBe(false)
  expect(git('branch', '--list', 'baton/*')).toBe('')
  expect(git('rev-parse', `refs/baton/undo/${record.runId}`).trim()).toBe(tip)
  expect((await act('undo')).state).toBe('done')
  expect((await act('redo')).state).toBe('done')
  expect(await readFile(join(record.folder, 'b'), 'utf8')).toBe('b\n')
  expect(git('rev-parse', record.branch).trim()).toBe(tip)
  expect(runGit(record.folder, 'status', '--porcelain')).toBe('')
  await writeFile(join(record.folder, 'note'), 'x\n')
  expect(await act('undo')).toMatchObject({ state: 'refused', blocked: [{ path: 'note' }] })
})

test('twenty at once in one repository', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => create()))
  const folders = all.map((record) => ('folder' in record ? record.folder : record))
  expect(new Set(folders).size).toBe(20)
  expect(git('branch', '--list', 'baton/*').trim().split('\n')).toHaveLength(20)
  for (const folder of folders) expect(await readFile(join(folder as string, 'a'), 'utf8')).toBe('a\n')
})

test('what a killed runner left of a try is made anew', async () => {
  const runId = newRun()
  const first = await made({ runId })
  await writeFile(join(first.folder, 'half'), 'x\n')
  await writeWorktree(worktrees.folders, { ...first, admin: null })
  const second = await made({ runId })
  expect(second.folder).toBe(first.folder)
  expect(await readdir(second.folder)).not.toContain('half')
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(2)
})

test('refs: a branch, a tag, a commit, and one that is not there', async () => {
  git('tag', 'v1')
  const first = git('rev-parse', 'HEAD').trim()
  await writeFile(join(repository, 'a'), 'second\n')
  git('commit', '-qam', 'second')
  git('branch', 'feature/x')
  for (const [ref, base] of [
    ['v1', first],
    [first.slice(0, 10), first],
    ['feature/x', git('rev-parse', 'HEAD').trim()],
  ] as const)
    expect((await made({ ref })).base).toBe(base)
  expect(await create({ ref: 'nowhere' })).toMatchObject({
    errorKind: 'workspace',
    message: expect.stringContaining('no branch, tag or commit "nowhere"'),
  })
})

test('a URL is copied once, fetched each time, and cleaned once it is pushed', async () => {
  const url = `file://${repository}`
  const first = await made({ repository: url })
  expect(first.commonDir.startsWith(worktrees.folders.repositories)).toBe(true)
  await writeFile(join(repository, 'a'), 'newer\n')
  git('commit', '-qam', 'newer')
  git('branch', 'topic')
  const second = await made({ repository: url, ref: 'topic' })
  expect(second.commonDir).toBe(first.commonDir)
  expect(await readFile(join(second.folder, 'a'), 'utf8')).toBe('newer\n')
  await writeFile(join(second.folder, 'b'), 'b\n')
  await end(second)
  expect(await states()).toEqual(['only_here', 'in_use'])
  runGit(second.folder, 'push', '-q', 'origin', 'HEAD')
  expect(await states()).toEqual(['reachable', 'in_use'])
  expect(git('branch', '--list', 'baton/*').trim()).toBe(second.branch.replace('refs/heads/', ''))
})

test('errors of git say what to do: no repository, none there, no commit', async () => {
  await mkdir(join(place, 'plain'))
  expect(await create({ repository: join(place, 'plain') })).toMatchObject({
    message: expect.stringContaining('is in no git repository'),
  })
  expect(await create({ repository: `file://${place}/nowhere` })).toMatchObject({
    errorKind: 'workspace',
    message: expect.stringContaining('there is no repository at'),
  })
  execFileSync('git', ['init', '-q', join(place, 'empty')])
  expect(await create({ repository: join(place, 'empty') })).toMatchObject({
    message: expect.stringContaining('has no commit yet'),
  })
  expect(await create({ repository: `file://${place}/empty` })).toMatchObject({
    message: expect.stringContaining('has no commit yet'),
  })
  expect(await create({ repository: 'https://127.0.0.1:1/x.git' })).toMatchObject({
    message: expect.stringContaining('cannot be reached'),
  })
})

test('nothing of a hostile repository runs when a worktree is made and ended', async () => {
  const ran = join(place, 'ran')
  const trap = join(place, 'trap')
  await writeFile(trap, `#!/bin/sh\necho "$0 $*" >> "${ran}"\ncat\n`, { mode: 0o755 })
  await writeFile(join(repository, '.gitattributes'), '* filter=evil diff=evil\n')
  git('add', '.')
  git('commit', '-qm', 'attributes')
  for (const [name, value] of [
    ['filter.evil.smudge', trap],
    ['filter.evil.clean', trap],
    ['filter.evil.process', trap],
    ['filter.evil.required', 'true'],
    ['core.fsmonitor', trap],
    ['diff.external', trap],
    ['core.worktree', place],
    ['submodule.recurse', 'true'],
  ] as const)
    git('config', name, value)
  for (const hook of [
    'post-checkout',
    'reference-transaction',
    'post-index-change',
    'pre-commit',
    'post-commit',
  ])
    await writeFile(join(repository, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> "${ran}"\n`, {
      mode: 0o755,
    })
  const record = await made()
  expect(await readFile(join(record.folder, 'a'), 'utf8')).toBe('a\n')
  await writeFile(join(record.folder, 'b'), 'b\n')
  const changes = await end(record)
  expect(changes?.filesChanged).toBe(1)
  await states()
  await undoWorktree(worktrees.folders, worktrees.turns, record.runId, 'undo', false)
  expect(existsSync(ran) ? await readFile(ran, 'utf8') : '').toBe('')
})

test('a worktree whose own git files were bent leads the runner nowhere else', async () => {
  const record = await made()
  const elsewhere = join(place, 'elsewhere')
  execFileSync('git', ['init', '-q', elsewhere])
  const ran = join(place, 'ran')
  await writeFile(join(place, 'trap'), `#!/bin/sh\necho ran > "${ran}"\n`, { mode: 0o755 })
  execFileSync('git', ['-C', elsewhere, 'config', 'core.fsmonitor', join(place, 'trap')])
  await writeFile(join(record.folder, 'b'), 'b\n')
  await rm(join(record.folder, '.git'))
  await writeFile(join(record.folder, '.git'), `gitdir: ${elsewhere}/.git\n`)
  await symlink('/etc', join(record.folder, 'etc'))
  expect((await end(record))?.filesChanged).toBe(2)
  expect(git('show', `${record.branch}:b`)).toBe('b\n')
  await clean(true)
  expect(existsSync('/etc/hostname')).toBe(true)
  expect(existsSync(join(elsewhere, '.git'))).toBe(true)
  expect(await readWorktree(worktrees.folders, record.runId)).toBeNull()
  expect(existsSync(ran)).toBe(false)
})
