import { realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { PushedDelivery } from '@baton/protocol'
import { SCRATCH_FOLDER, type Workspace } from './find-workspace.ts'

/**
 * The folder in which the delivery's conversation began, when it asks for none by name: most agents find a conversation
 * only there. Null: there is no such folder any more, or the delivery is to work in another one.
 */
export async function keptFolder(
  { workspace, sessionId, sessionCwd, trust }: PushedDelivery,
  workspacesFolder: string,
): Promise<Workspace | null> {
  if (sessionId === null || sessionCwd === null) return null
  if (workspace.path !== null || workspace.worktree !== null) return null
  const [folder, scratch] = await Promise.all(
    [sessionCwd, join(workspacesFolder, SCRATCH_FOLDER)].map(existing),
  )
  if (!folder) return null
  if (scratch && folder.startsWith(scratch + sep)) return { folder, own: true }
  return workspace.scratch || trust === 'public' ? null : { folder, own: false }
}

async function existing(folder: string): Promise<string | null> {
  const found = await stat(folder).catch(() => null)
  return found?.isDirectory() ? realpath(folder) : null
}
