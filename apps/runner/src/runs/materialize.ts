import type { Prepared } from '../agents/runtime.ts'
import type { EndInside } from '../processes/end-inside.ts'
import { createWorktree } from '../workspaces/worktrees/create-worktree.ts'
import type { WorktreeRecord } from '../workspaces/worktrees/worktree-record.ts'
import type { Admitted, Refusal } from './admit-delivery.ts'
import { never } from './refusals.ts'
import type { RunLife } from './run-life.ts'

/** Admitted work with everything that takes longer than an unaccepted lease lasts. */
export type Ready = Admitted & {
  prepared: Prepared
  inside: EndInside | null
  madeWorktree: WorktreeRecord | null
}

/** After the delivery was accepted: its worktree is fetched and checked out, its container pulled and started. */
export async function materialize(life: RunLife, admitted: Admitted): Promise<Ready | Refusal> {
  const { prepared } = admitted
  if (prepared) return { ...admitted, prepared, inside: null, madeWorktree: null }
  const { context } = life
  const { folders, repositories, turns } = context.worktrees
  const made = admitted.worktree
    ? await createWorktree(folders, { cache: repositories, turns }, admitted.worktree, life.stopping)
    : null
  if (made && 'errorKind' in made) return never(made.errorKind, made.message)
  const isolated = await admitted.prepare(made, life.stopping)
  if ('refused' in isolated) return never(isolated.refused, isolated.message)
  return { ...admitted, ...isolated, madeWorktree: made }
}
