import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProfilePaths } from '../src/config/paths.ts'
import { runGit } from './support/run-git.ts'
import { type RunnerProcess, startRunnerProcess, untilIdle } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace
let runner: RunnerProcess
let home: string
let paths: ProfilePaths
let bin: string

beforeAll(async () => {
  place = await createTestPlace()
  bin = join(place.folder, 'bin')
  await mkdir(bin)
  const made = await place.makeHome('home', place.relay.url, {
    commands: { shell: { argv: ['/bin/sh'], format: 'text' } },
    repositories: [`file://${place.folder}/allowed`],
  })
  ;({ home, paths } = made)
  await place.api.agents.create.mutate({
    key: 'shell',
    machineId: place.machineId,
    runtime: 'command',
    command: 'shell',
    maxConcurrent: 20,
  })
  runner = start()
  await runner.ready
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
}, 30_000)

const start = () => startRunnerProcess(home, { env: { PATH: `${bin}:${process.env.PATH}` } })

async function newRepository(name: string): Promise<string> {
  const folder = join(place.folder, name)
  await mkdir(folder)
  runGit(folder, 'init', '-q', '-b', 'main')
  await writeFile(join(folder, 'a'), 'a\n')
  runGit(folder, 'add', '.')
  runGit(folder, 'commit', '-qm', 'first')
  return folder
}

/** The prompt is the script. */
async function runScript(script: string, workspace: string) {
  const id = await place.run(script, { agent: 'shell', workspace })
  return await place.untilFinished(id, 30_000)
}

async function undo(id: string, more: { kind?: 'undo' | 'redo'; dryRun?: boolean } = {}) {
  const { id: undoId } = await place.api.runs.undo.mutate({ id, ...more })
  return await eventually(async () => {
    const now = await place.api.runs.getUndo.query({ undoId })
    if (now.state === 'asked') throw new Error('nobody has answered')
    return now
  })
}

test('a run tells what it changed: in its view, in its transcript and as a diff', async () => {
  const folder = await newRepository('told')
  await writeFile(join(folder, 'a'), 'dirty\n')
  const run = await runScript('echo more >> a; echo new > b', folder)
  expect(run.changes).toMatchObject({
    repository: folder,
    filesChanged: 2,
    insertions: 2,
    deletions: 0,
    branch: 'main',
    undoable: true,
    files: [
      { path: 'a', kind: 'modified' },
      { path: 'b', kind: 'added' },
    ],
  })
  expect(run.changes).not.toHaveProperty('diff')
  const changes = await place.api.runs.changes.query({ id: run.id })
  expect(changes?.diff).toContain('+more')
  expect(changes?.diff).not.toContain('+dirty')
  const events = await place.events(run.id)
  expect(events.filter(({ type }) => type === 'changes')).toMatchObject([
    { filesChanged: 2, insertions: 2, branch: 'main' },
  ])
  expect(events.at(-1)?.type).toBe('finished')
})

test('a run is undone from the relay, and brought back', async () => {
  const folder = await newRepository('undone')
  const run = await runScript('echo changed > a; echo new > b; git add b', folder)
  const planned = await undo(run.id, { dryRun: true })
  expect(planned).toMatchObject({ state: 'done', dryRun: true, files: ['a', 'b'] })
  expect((await place.view(run.id)).undo).toBeNull()
  expect(await undo(run.id)).toMatchObject({ state: 'done', files: ['a', 'b'] })
  expect(runGit(folder, 'status', '--porcelain')).toBe('')
  expect((await place.view(run.id)).undo).toMatchObject({ kind: 'undo', state: 'done' })
  await expect(undo(run.id)).rejects.toThrow('undone already')
  expect(await undo(run.id, { kind: 'redo' })).toMatchObject({ state: 'done' })
  expect(runGit(folder, 'status', '--porcelain')).toBe(' M a\nA  b\n')
  await writeFile(join(folder, 'a'), 'by a person\n')
  expect(await undo(run.id)).toMatchObject({
    state: 'refused',
    blocked: [{ path: 'a', why: 'it was changed since' }],
  })
  await expect(undo(run.id, { kind: 'redo' })).rejects.toThrow()
})

test('an undo that is asked while the machine is away is carried out when it is back', async () => {
  const folder = await newRepository('away')
  const run = await runScript('echo changed > a', folder)
  await untilIdle(paths)
  await runner.kill('SIGKILL')
  const { id: undoId } = await place.api.runs.undo.mutate({ id: run.id })
  const again = await place.api.runs.undo.mutate({ id: run.id })
  expect(again.id).toBe(undoId)
  await expect(place.api.runs.undo.mutate({ id: run.id, dryRun: true })).rejects.toThrow('waits for laptop')
  runner = start()
  await runner.ready
  await eventually(async () => {
    expect((await place.api.runs.getUndo.query({ undoId })).state).toBe('done')
  })
  expect(runGit(folder, 'status', '--porcelain')).toBe('')
})

test('what has nothing to undo says so, and an order of nobody is not found', async () => {
  const folder = await newRepository('nothing')
  const run = await runScript('true', folder)
  expect(run.changes).toMatchObject({ filesChanged: 0 })
  await expect(undo(run.id)).rejects.toThrow('nothing to undo')
  await expect(undo(`run_${'f'.repeat(32)}`)).rejects.toThrow('There is no run')
  await expect(place.api.runs.getUndo.query({ undoId: `und_${'f'.repeat(32)}` })).rejects.toThrow('no undo')
})

test('worktrees of one repository work side by side, each on its branch', async () => {
  const folder = await newRepository('parallel')
  const gate = join(place.folder, 'gate')
  const script = (n: number) => `echo ${n} > file-${n}; while [ ! -e "${gate}" ]; do sleep 0.05; done`
  const ids = await Promise.all(
    [1, 2, 3, 4].map((n) => place.run(script(n), { agent: 'shell', workspace: `worktree:${folder}` })),
  )
  await Promise.all(ids.map((id) => place.untilRunning(id)))
  await writeFile(gate, '')
  const runs = await Promise.all(ids.map((id) => place.untilFinished(id)))
  for (const [index, run] of runs.entries()) {
    const { changes } = run
    expect(changes).toMatchObject({ repository: folder, filesChanged: 1, commits: [{}] })
    expect(runGit(folder, 'show', `${changes?.branch}:file-${index + 1}`)).toBe(`${index + 1}\n`)
    expect(run.workspace).toBe(changes?.worktree)
  }
  expect(new Set(runs.map((run) => run.changes?.branch)).size).toBe(4)
  expect(runGit(folder, 'status', '--porcelain')).toBe('')
  const [first] = runs
  expect(await undo(first?.id ?? '')).toMatchObject({ state: 'done' })
  expect(runGit(folder, 'branch', '--list', 'baton/*').trim().split('\n')).toHaveLength(3)
})

test('the machine alone says which repositories it fetches from', async () => {
  const folder = await newRepository('allowed-project')
  await mkdir(join(place.folder, 'allowed'))
  runGit(folder, 'clone', '-q', '--bare', folder, join(place.folder, 'allowed', 'project.git'))
  const run = await runScript('cat a > copy', `worktree:file://${place.folder}/allowed/project.git#main`)
  expect(run).toMatchObject({ state: 'succeeded', changes: { filesChanged: 1 } })
  const id = await place.run('true', { agent: 'shell', workspace: `worktree:file://${folder}` })
  const refused = await place.until(id, (now) => now.deliveryState === 'failed')
  expect(refused.sentence).toContain("This machine's policy allows no worktrees of")
  await expect(
    place.run('true', { agent: 'shell', workspace: 'worktree:https://me:secret@example.org/x' }),
  ).rejects.toThrow('leave the name and password out')
  await expect(place.run('true', { agent: 'shell', workspace: 'worktree:ext::sh -c x' })).rejects.toThrow()
})

test('a ref that is not there fails the run as its workspace', async () => {
  const folder = await newRepository('no-ref')
  const run = await runScript('true', `worktree:${folder}#nowhere`)
  expect(run).toMatchObject({ state: 'failed', errorKind: 'workspace' })
  expect(run.message).toContain('no branch, tag or commit "nowhere"')
  expect(await readdir(join(paths.worktreesFolder, 'records'))).not.toContain(`${run.id}.json`)
})

test('a runner killed while it makes a worktree leaves none behind, and the run goes on', async () => {
  const folder = await newRepository('killed')
  const marker = join(place.folder, 'in-the-middle')
  const real = execFileSync('which', ['git']).toString().trim()
  await writeFile(
    join(bin, 'git'),
    `#!/bin/sh\ncase "$*" in *"reset --hard"*) if [ ! -e "${marker}" ]; then : > "${marker}"; sleep 30; fi;; esac\nexec ${real} "$@"\n`,
  )
  await chmod(join(bin, 'git'), 0o755)
  const id = await place.run('echo done > b', { agent: 'shell', workspace: `worktree:${folder}` })
  await eventually(async () => stat(marker))
  await runner.kill('SIGKILL')
  expect(runGit(folder, 'worktree', 'list').trim().split('\n')).toHaveLength(2)
  runner = start()
  const run = await place.untilFinished(id, 30_000)
  expect(run).toMatchObject({ state: 'succeeded', changes: { filesChanged: 1 } })
  expect(runGit(folder, 'worktree', 'list').trim().split('\n')).toHaveLength(2)
  expect(runGit(folder, 'branch', '--list', 'baton/*').trim().split('\n')).toHaveLength(1)

  await rm(marker)
  const cancelled = await place.run('true', { agent: 'shell', workspace: `worktree:${folder}` })
  await eventually(async () => stat(marker))
  await place.api.runs.cancel.mutate({ id: cancelled })
  expect(await place.untilFinished(cancelled)).toMatchObject({ state: 'cancelled' })
  await untilIdle(paths)
  expect(runGit(folder, 'branch', '--list', 'baton/*').trim().split('\n')).toHaveLength(1)
  await rm(join(bin, 'git'))
})

test('a run whose supervisor was killed still tells what it changed', async () => {
  const folder = await newRepository('orphan')
  const id = await place.run('echo half > b; sleep 60', { agent: 'shell', workspace: folder })
  await eventually(async () => stat(join(folder, 'b')))
  await place.untilRunning(id)
  const { supervisor } = await place.readSupervisor(home, id)
  process.kill(supervisor.pid, 'SIGKILL')
  const run = await place.untilFinished(id)
  expect(run).toMatchObject({ state: 'failed', errorKind: 'killed', changes: { filesChanged: 1 } })
  expect(existsSync(join(folder, 'b'))).toBe(true)
  expect(await readFile(join(folder, 'b'), 'utf8')).toBe('half\n')
})
