import { join } from 'node:path'
import type { UndoOrder, UndoReport } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { readRecord } from '../changes/record-changes.ts'
import type { WorkspaceTurns } from '../workspace-turns.ts'
import type { RepositoryTurns } from '../worktrees/repository-turns.ts'
import { undoWorktree } from '../worktrees/undo-worktree.ts'
import { readWorktree, type WorktreeFolders } from '../worktrees/worktree-record.ts'
import { refused, type UndoResult, undoInPlace } from './undo-in-place.ts'

export type UndoOrders = {
  /** Orders come again until they are reported; one that is known is carried out once. */
  receive(orders: readonly UndoOrder[]): void
  /** Waits for the one that is carried out now. Those that are left come again. */
  stop(): Promise<void>
}

/** Puts workspaces back, one after the other, and reports each until the relay has heard it. */
export function createUndoOrders(options: {
  changesFolder: string
  worktrees: WorktreeFolders
  repositoryTurns: RepositoryTurns
  turns: WorkspaceTurns
  report(report: UndoReport, signal: AbortSignal): Promise<void>
  logger: Logger
}): UndoOrders {
  const known = new Set<string>()
  const stopping = new AbortController()
  let last: Promise<void> = Promise.resolve()

  async function carryOut(order: UndoOrder): Promise<void> {
    if (stopping.signal.aborted) return
    const result = await attempt(order)
    options.logger.info({ order, state: result.state }, result.message)
    await options.report({ id: order.id, ...result }, stopping.signal)
  }

  async function attempt(order: UndoOrder): Promise<UndoResult> {
    try {
      return await undo(order)
    } catch (error) {
      options.logger.error({ error, order }, 'A workspace could not be put back.')
      const why = error instanceof Error ? error.message : String(error)
      return refused(
        `The workspace could not be put back: ${why}. Look at it on that machine; trying again is safe.`,
      )
    }
  }

  async function undo({ id, runId, kind, dryRun }: UndoOrder): Promise<UndoResult> {
    const { worktrees, repositoryTurns, turns } = options
    if (await readWorktree(worktrees, runId))
      return await undoWorktree(worktrees, repositoryTurns, runId, kind, dryRun)
    const folder = join(options.changesFolder, runId)
    const scope = (await readRecord(folder))?.before.scope
    const holder = scope === undefined ? null : turns.take(scope, id)
    if (holder) return refused(`${holder} works in ${scope} right now. Wait for its end, or stop it.`)
    try {
      return await undoInPlace(folder, runId, kind, dryRun)
    } finally {
      turns.leave(id)
    }
  }

  return {
    receive(orders) {
      for (const order of orders) {
        if (known.has(order.id)) continue
        known.add(order.id)
        last = last
          .then(() => carryOut(order))
          .catch((error: unknown) => {
            known.delete(order.id)
            if (!stopping.signal.aborted) options.logger.error({ error }, 'An undo could not be reported.')
          })
      }
    },
    async stop() {
      stopping.abort()
      await last
    },
  }
}
