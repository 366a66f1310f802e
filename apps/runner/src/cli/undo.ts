import { BatonError } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

/** `baton runs undo`: the machine of the run carries it out. Exit 6 when it refuses, 124 when it has not answered yet. */
export async function undoRun(
  session: Session,
  [id = '']: string[],
  options: { dryRun?: boolean; redo?: boolean },
): Promise<void> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const kind = options.redo ? 'redo' : 'undo'
  const dryRun = options.dryRun === true
  const where = `${printable(run.changes?.worktree ?? run.workspace ?? 'its workspace')} on ${printable(run.machine.name)}`
  if (!dryRun)
    await confirm(
      session,
      options.redo
        ? `Bring the changes of this run back in ${where}?`
        : `Put ${where} back to before this run?`,
    )
  const undo = await baton.runs.undo(run.id, { kind, dryRun })
  if (undo.state === 'asked')
    throw new BatonError(
      'timeout',
      `${printable(run.machine.name)} has not answered yet (it is ${run.machine.state}). It carries the order out when it can; "baton runs show ${run.id}" tells.`,
    )
  if (undo.state === 'refused') {
    const blocked = undo.blocked.map(({ path, why }) => `\n  ${printable(path)}: ${why}`).join('')
    throw new BatonError('conflict', `${undo.message}${blocked}`)
  }
  session.print(undo, () =>
    [...undo.files.map((path) => `  ${printable(path)}`), undo.message ?? ''].join('\n'),
  )
}
