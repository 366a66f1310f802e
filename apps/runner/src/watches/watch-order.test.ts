import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileChangeConfig, type MachineFire, type WatchOrder } from '@baton/protocol'
import { eventually, newTestId } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultPolicy } from '../config/policy.ts'
import type { LiveRun } from '../runs/runs.ts'
import { createFireSpool, newFireKey } from './fire-spool.ts'
import { gatherChanges } from './gather-changes.ts'
import { createOwnRuns } from './own-runs.ts'
import { createWatchIndex } from './watch-index.ts'
import { indexFile, watchOrder } from './watch-order.ts'
import { watchTree } from './watch-tree.ts'

let root = ''
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'baton-watch-')))
})
afterAll(() => rm(root, { recursive: true, force: true }))

let count = 0
async function place() {
  const folder = join(root, String(++count))
  await mkdir(folder)
  return folder
}

const order = (folder: string, only: Partial<WatchOrder> = {}): WatchOrder => ({
  ...fileChangeConfig.parse({ folder, quietMs: 100 }),
  triggerId: newTestId('trigger'),
  jobId: newTestId('job'),
  ...only,
})

async function watching(wanted: WatchOrder, runs = createOwnRuns(), policyFolders = [root]) {
  const fires: string[][] = []
  const missed: boolean[] = []
  const causes: (string | null | undefined)[] = []
  const watch = await watchOrder(
    wanted,
    {
      policy: async () => ({ ok: true, value: { ...defaultPolicy(), folders: policyFolders } }),
      homeFolder: root,
      ownFolders: [join(root, 'own')],
      runs,
      indexFolder: join(root, 'index'),
      onFire: (fire) => {
        if (fire.kind !== 'file_change') return
        fires.push(fire.payload.changes.paths)
        missed.push(fire.payload.changes.missed === true)
        causes.push(fire.cause)
      },
      onError: (error) => {
        throw error
      },
    },
    () => {},
  )
  return { watch, fires, missed, causes, [Symbol.asyncDispose]: () => watch.stop() }
}

test('changed files fire once they have been quiet, with their paths, without what is ignored', async () => {
  const folder = await place()
  await mkdir(join(folder, 'src'))
  await mkdir(join(folder, 'node_modules'))
  await using w = await watching(order(folder, { globs: ['**/*.ts'] }))
  expect(w.watch.state.state).toBe('watching')
  for (let n = 0; n < 5; n++) await writeFile(join(folder, 'src', `${n}.ts`), String(n))
  await writeFile(join(folder, 'src', 'notes.md'), 'no')
  await writeFile(join(folder, 'node_modules', 'dep.ts'), 'no')
  await eventually(() => expect(w.fires.flat()).toHaveLength(5))
  expect(w.fires).toEqual([['src/0.ts', 'src/1.ts', 'src/2.ts', 'src/3.ts', 'src/4.ts']])
})

test('a file that is only touched, or written with what it holds, fires nothing', async () => {
  const folder = await place()
  await using w = await watching(order(folder))
  await writeFile(join(folder, 'a'), 'one')
  await eventually(() => expect(w.fires).toEqual([['a']]))
  await utimes(join(folder, 'a'), new Date(), new Date())
  await writeFile(join(folder, 'a'), 'one')
  await writeFile(join(folder, 'b'), 'two')
  await eventually(() => expect(w.fires).toEqual([['a'], ['b']]))
})

test('what a run of the job itself changes never fires it, not even when it is told of again later', async () => {
  const folder = await place()
  let now = 0
  const runs = createOwnRuns(() => now)
  const told: string[] = []
  const gatherer = gatherChanges(
    { folder, jobId: 'job', quietMs: 10 },
    runs,
    ({ paths }) => told.push(...paths),
    (error) => {
      throw error
    },
  )
  const change = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    gatherer.changed([name], false)
  }
  runs.note([
    { runId: 'r', deliveryId: 'd', agent: 'a', jobId: 'job', workspace: null, pid: 1, phase: 'running' },
  ])
  await change('while-it-ran', '1')
  runs.note([])
  now = 1_500
  await change('just-afterwards', '1')
  now = 4_000
  await change('by-a-person', '1')
  await eventually(() => expect(told).toEqual(['by-a-person']))
  gatherer.changed(['while-it-ran', 'just-afterwards', 'by-a-person'], false)
  await change('the-end', '1')
  await eventually(() => expect(told).toEqual(['by-a-person', 'the-end']))
  await change('while-it-ran', 'changed by a person')
  await eventually(() => expect(told).toEqual(['by-a-person', 'the-end', 'while-it-ran']))
  await gatherer.stop()
})

test('without the window of the run, the mutant, its own changes fire it', async () => {
  const folder = await place()
  const watch = order(folder)
  await using w = await watching(watch, { ...createOwnRuns(), isOwn: () => false })
  await writeFile(join(folder, 'made-by-the-run'), '1')
  await eventually(() => expect(w.fires.flat()).toContain('made-by-the-run'))
})

const live = (folder: string, jobId: string | null): LiveRun => ({
  runId: newTestId('run'),
  deliveryId: newTestId('delivery'),
  agent: 'a',
  jobId,
  workspace: folder,
  pid: 1,
  phase: 'finished',
})

test('what changed while no runner was there fires once, at the next start, and says so', async () => {
  const folder = await place()
  const wanted = order(folder, { globs: ['**/*.md'] })
  for (const name of ['kept.md', 'changed.md', 'deleted.md', 'other.txt'])
    await writeFile(join(folder, name), 'before')
  {
    await using first = await watching(wanted)
    await writeFile(join(folder, 'seen.md'), 'seen')
    await eventually(() => expect(first.fires).toEqual([['seen.md']]))
    expect(first.missed).toEqual([false])
  }
  await writeFile(join(folder, 'changed.md'), 'after it')
  await writeFile(join(folder, 'other.txt'), 'after it')
  await writeFile(join(folder, 'made.md'), 'new')
  await rm(join(folder, 'deleted.md'))
  {
    await using second = await watching(wanted)
    await eventually(() => expect(second.fires).toEqual([['changed.md', 'deleted.md', 'made.md']]))
    expect(second.missed).toEqual([true])
  }
  await using third = await watching(wanted)
  await writeFile(join(folder, 'last.md'), 'seen')
  await eventually(() => expect(third.fires).toEqual([['last.md']]))
})

test('what was not told when a runner was killed is told by the next one', async () => {
  const folder = await place()
  const wanted = order(folder, { quietMs: 60_000 })
  const first = createWatchIndex(
    indexFile(join(root, 'index'), wanted.triggerId),
    { ...wanted, folder },
    () => false,
  )
  expect(await first.compare()).toEqual({ paths: [], isWhole: true })
  await writeFile(join(folder, 'a'), '1')
  await first.note(await first.marks(['a']))
  await writeFile(join(folder, 'b'), '1')
  expect(await first.compare()).toEqual({ paths: ['b'], isWhole: true })
  await appendFile(indexFile(join(root, 'index'), wanted.triggerId), '["b","to')
  await using second = await watching({ ...wanted, quietMs: 50 })
  await eventually(() => expect(second.fires).toEqual([['b']]))
})

test('a watch with another choice of files begins afresh', async () => {
  const folder = await place()
  const wanted = order(folder, { globs: ['**/*.md'] })
  {
    await using _ = await watching(wanted)
    await writeFile(join(folder, 'a.txt'), '1')
  }
  await using second = await watching({ ...wanted, globs: ['**/*'] })
  await writeFile(join(folder, 'b.txt'), '1')
  await eventually(() => expect(second.fires.flat()).toContain('b.txt'))
  expect(second.missed).not.toContain(true)
})

test('what runs did that went on without a runner is theirs', async () => {
  const folder = await place()
  const wanted = order(folder)
  await (await watching(wanted))[Symbol.asyncDispose]()
  await writeFile(join(folder, 'by-a-run'), '1')
  const own = createOwnRuns()
  own.resumed([live(folder, wanted.jobId)])
  {
    await using after = await watching(wanted, own)
    const index = indexFile(join(root, 'index'), wanted.triggerId)
    await eventually(async () => expect(await readFile(index, 'utf8')).toContain('by-a-run'))
    await writeFile(join(folder, 'by-a-person'), '1')
    await eventually(() => expect(after.fires).toEqual([['by-a-person']]))
  }
  await writeFile(join(folder, 'by-another-job'), '1')
  const another = createOwnRuns()
  const run = live(folder, newTestId('job'))
  another.resumed([run])
  await using last = await watching(wanted, another)
  await eventually(() => expect(last.fires).toEqual([['by-another-job']]))
  expect(last.causes).toEqual([`${run.runId}; hops=1`])
})

test('only folders that the policy of the machine allows are watched, links included', async () => {
  const folder = await place()
  const link = join(root, 'link-out')
  await symlink(tmpdir(), link)
  const elsewhere = [join(root, 'allowed')]
  await using refused = await watching(order(folder), createOwnRuns(), elsewhere)
  expect(refused.watch.state).toMatchObject({ state: 'refused', message: expect.stringContaining('policy') })
  await using linked = await watching(order(link))
  expect(linked.watch.state.state).toBe('refused')
  await using missing = await watching(order(join(root, 'nowhere')))
  expect(missing.watch.state.message).toContain('There is no folder')
})

test('where the native watcher is missing the tree is polled, and that is said', async () => {
  const folder = await place()
  await writeFile(join(folder, 'old'), '1')
  const changed: string[] = []
  const watch = await watchTree(
    folder,
    {
      isIgnored: (path) => path.startsWith('skip/'),
      onChange: (paths) => changed.push(...paths),
      onError: (error) => {
        throw error
      },
    },
    { pollEveryMs: 20, load: () => Promise.reject(new Error('no binary')) },
  )
  expect(watch.polledBecause).toContain('not installed')
  await mkdir(join(folder, 'skip'))
  await writeFile(join(folder, 'skip', 'x'), '1')
  await mkdir(join(folder, 'sub'))
  await writeFile(join(folder, 'sub', 'new'), '1')
  await rm(join(folder, 'old'))
  await eventually(() => expect(changed.toSorted()).toEqual(['old', 'sub/new']))
  await watch.stop()
})

test('when the system loses count of changes, the event says so', async () => {
  const told: { paths: string[]; overflow: boolean }[] = []
  const gatherer = gatherChanges(
    { folder: root, jobId: 'job', quietMs: 10 },
    createOwnRuns(),
    (changes) => told.push(changes),
    (error) => {
      throw error
    },
  )
  gatherer.changed([], true)
  await eventually(() => expect(told).toEqual([{ paths: [], overflow: true, cause: null, missed: false }]))
  await gatherer.stop()
})

test('changes that nobody has tried to send yet are one fire; what was tried stays as it is', async () => {
  const folder = join(root, 'spool')
  const spool = createFireSpool(folder)
  const triggerId = newTestId('trigger')
  const fire = (path: string): MachineFire => ({
    kind: 'file_change',
    triggerId,
    key: newFireKey(Date.now(), `key-${path}`),
    payload: { changes: { folder: '/f', paths: [path], count: 1, overflow: false } },
  })
  await spool.keep(fire('a'))
  await spool.keep(fire('b'))
  const [joined] = await spool.list()
  expect(joined?.payload).toMatchObject({ changes: { paths: ['a', 'b'], count: 2 } })
  spool.trying(await spool.list())
  await spool.keep(fire('c'))
  expect(await spool.list()).toHaveLength(2)
  const again = createFireSpool(folder)
  await again.keep(fire('d'))
  expect(await again.list()).toHaveLength(3)
  await again.forget(joined?.key ?? '')
  expect(await again.list()).toHaveLength(2)
  await writeFile(join(folder, 'torn.json'), '{"kind":')
  expect(await again.list()).toHaveLength(2)
  await expect(readFile(join(folder, 'torn.json'))).rejects.toThrow('ENOENT')
})
