import { findRunView, insertUndo } from '@baton/db'
import { BatonError, type OrganizationId, toId, type UndoKind, type UndoView } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'

/**
 * Orders that the workspace of a finished run is put back to before it, or forward again. The runner of its machine
 * carries the order out, now or when it is back; the answer says how the order stands, and `runs.getUndo` later.
 */
export async function askForUndo(
  ctx: ApiContext & { principal: { organizationId: OrganizationId } },
  input: { id: string; kind: UndoKind; dryRun: boolean },
): Promise<UndoView> {
  const { db } = ctx.connection
  const { organizationId } = ctx.principal
  const run = found(await findRunView(db, organizationId, input.id), 'run', input.id)
  const refuse = (why: string): never => {
    throw new BatonError('conflict', why)
  }
  if (run.ladder.finishedAt === null || run.state === null)
    refuse(`Only a finished run can be undone; this one is ${run.status}. Stop it first.`)
  const { changes } = run
  if (!changes || changes.filesChanged + changes.commits.length === 0)
    refuse('There is nothing to undo: this run changed nothing, or nobody could tell what it changed.')
  if (changes && !changes.undoable)
    refuse('What this run changed was too much to keep a copy of, so it cannot be undone by Baton.')
  const isUndone = run.undo?.state === 'done' && run.undo.kind === 'undo'
  if (input.kind === 'redo' && !isUndone)
    refuse('This run was not undone, so there is nothing to bring back.')
  if (input.kind === 'undo' && isUndone)
    refuse('This run is undone already. `baton runs undo --redo` brings its changes back.')
  const id = toId('undo', uuidv7())
  const order = { id, runId: run.id, kind: input.kind, dryRun: input.dryRun }
  const undo = found(await insertUndo(db, organizationId, order), 'run', input.id)
  const { machineId, ...view } = undo
  if (view.kind !== input.kind || view.dryRun !== input.dryRun)
    refuse(
      `Another order for this workspace waits for ${run.machine.name}; ask again when it is carried out.`,
    )
  ctx.hints.send('cancel', machineId)
  ctx.changes.tell(organizationId, 'run', run.id)
  return view
}
