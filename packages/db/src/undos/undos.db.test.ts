import { randomUUID } from 'node:crypto'
import { type RunChanges, type RunId, type SettleReport, settleReport, toId } from '@baton/protocol'
import {
  acceptOne,
  makeDelivery,
  makePlace,
  reportOf,
  settleReports,
  usePlace,
  useTestDatabase,
} from '@baton/testkit'
import { expect, test } from 'vitest'
import { findRunDiff, findRunView, findUndo, insertUndo, listAskedUndos, settleUndos } from '../index.ts'

const database = useTestDatabase()
const place = usePlace(database)

const changes: RunChanges = {
  repository: '/w',
  baseCommit: 'a'.repeat(40),
  headCommit: 'b'.repeat(40),
  branch: 'main',
  worktree: null,
  commits: [{ id: 'b'.repeat(40), subject: 'work' }],
  files: [{ path: 'a', kind: 'modified', insertions: 1, deletions: 2, from: null }],
  filesChanged: 1,
  insertions: 1,
  deletions: 2,
  diff: 'diff --git a/a b/a\n',
  diffCut: false,
  undoable: true,
}

async function finishedRun(only: Partial<SettleReport> = {}): Promise<RunId> {
  await makeDelivery(database.db, place)
  const held = await acceptOne(database.db, place)
  const report = settleReport.parse(reportOf(held, { changes, ...only }))
  await settleReports(database.db, place, [report])
  return held.runId
}

const order = (runId: RunId, kind: 'undo' | 'redo' = 'undo', dryRun = false) => ({
  id: toId('undo', randomUUID()),
  runId,
  kind,
  dryRun,
})

test('what a run changed is kept, its diff apart from the view', async () => {
  const runId = await finishedRun()
  const view = await findRunView(database.db, place.organizationId, runId)
  const { diff, ...summary } = changes
  expect(view?.changes).toEqual(summary)
  expect(await findRunDiff(database.db, place.organizationId, runId)).toBe(diff)
  const without = await finishedRun({ changes: null })
  expect((await findRunView(database.db, place.organizationId, without))?.changes).toBeNull()
  expect(await findRunDiff(database.db, place.organizationId, without)).toBeNull()
})

test('text that Postgres cannot store does not keep a report from being settled', async () => {
  const odd = { ...changes, diff: 'a\0b\uD800', files: [{ ...changes.files[0], path: 'x\0' }] }
  const runId = await finishedRun({ changes: odd as RunChanges })
  expect(await findRunDiff(database.db, place.organizationId, runId)).toBe('a\uFFFDb\uFFFD')
})

test('one order of a run is open at a time, and the same answer twice changes nothing', async () => {
  const runId = await finishedRun()
  const first = await insertUndo(database.db, place.organizationId, order(runId))
  expect(first).toMatchObject({ state: 'asked', kind: 'undo', machineId: place.machineId })
  const again = await insertUndo(database.db, place.organizationId, order(runId, 'redo'))
  expect(again).toMatchObject({ id: first?.id, kind: 'undo' })
  const [asked] = await listAskedUndos(database.db, place.machineId)
  expect(asked).toEqual({ id: first?.id, runId, kind: 'undo', dryRun: false })

  const report = { id: asked?.id ?? order(runId).id, message: 'Put back 1 file.', files: ['a'], blocked: [] }
  expect(await settleUndos(database.db, place.machineId, [{ ...report, state: 'done' }])).toEqual([runId])
  expect(await settleUndos(database.db, place.machineId, [{ ...report, state: 'refused' }])).toEqual([])
  expect(await listAskedUndos(database.db, place.machineId)).toEqual([])
  const view = await findRunView(database.db, place.organizationId, runId)
  expect(view?.undo).toMatchObject({ state: 'done', files: ['a'], settledAt: expect.any(Number) })
  expect(view?.undo).toEqual(await findUndo(database.db, place.organizationId, report.id))
})

test('a dry run is answered and does not say how the workspace stands', async () => {
  const runId = await finishedRun()
  const dry = await insertUndo(database.db, place.organizationId, order(runId, 'undo', true))
  expect(dry?.dryRun).toBe(true)
  expect((await findRunView(database.db, place.organizationId, runId))?.undo).toBeNull()
})

test("another organization's or machine's order is as unknown as one that never was", async () => {
  const runId = await finishedRun()
  const other = await makePlace(database.db)
  expect(await insertUndo(database.db, other.organizationId, order(runId))).toBeNull()
  expect(await insertUndo(database.db, place.organizationId, order(toId('run', randomUUID())))).toBeNull()
  const own = await insertUndo(database.db, place.organizationId, order(runId))
  if (!own) throw new Error('no order')
  expect(await findUndo(database.db, other.organizationId, own.id)).toBeNull()
  expect(await findRunDiff(database.db, other.organizationId, runId)).toBeNull()
  expect(await listAskedUndos(database.db, other.machineId)).toEqual([])
  const report = { id: own.id, state: 'done' as const, message: '', files: [], blocked: [] }
  expect(await settleUndos(database.db, other.machineId, [report])).toEqual([])
  expect((await findUndo(database.db, place.organizationId, own.id))?.state).toBe('asked')
})
