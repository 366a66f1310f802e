import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isRepositoryUrl, type PushedDelivery } from '@baton/protocol'
import { isFolderAllowed, type Policy } from '../config/policy.ts'
import { isRepositoryAllowed } from '../config/repository-policy.ts'
import { findWorkspace, type Workspace } from '../workspaces/find-workspace.ts'
import { keptFolder } from '../workspaces/kept-folder.ts'
import { type WantedWorktree, worktreeFolder } from '../workspaces/worktrees/create-worktree.ts'
import type { WorktreeFolders } from '../workspaces/worktrees/worktree-record.ts'
import type { Refusal } from './admit-delivery.ts'
import { list, never } from './refusals.ts'

/** Where a run works. A worktree is made later, at a place that is known now. */
export type Place = {
  cwd: string
  worktree: WantedWorktree | null
  /** Nobody else can be at work in it, so it has no turns. */
  isAlone: boolean
  /** What a container of the agent is bound to, where the run's own folder is another one each time. */
  mountFolder: string | null
}

type Folders = { workspacesFolder: string; homeFolder: string; worktrees: WorktreeFolders }

/** The folder or worktree that a delivery asks for, as far as this machine's policy allows it. */
export async function findPlace(
  folders: Folders,
  delivery: PushedDelivery,
  policy: Policy,
): Promise<Place | Refusal> {
  if (delivery.workspace.worktree) return await findWorktreePlace(folders, delivery, policy)
  const workspace =
    (await keptFolder(delivery, folders.workspacesFolder)) ??
    (await findWorkspace(
      {
        path: delivery.workspace.path,
        scratchFor: delivery.workspace.scratch ? delivery.runId : null,
        agentKey: delivery.agent.key,
        mustWrite: delivery.agent.permissionMode !== 'read_only',
      },
      { workspaces: folders.workspacesFolder, home: folders.homeFolder },
    ))
  if ('problem' in workspace) return never('workspace', workspace.problem)
  const problem = await folderProblem(workspace, delivery, policy, folders.homeFolder)
  if (problem) return never('policy', problem)
  return { cwd: workspace.folder, worktree: null, isAlone: false, mountFolder: null }
}

async function folderProblem(
  workspace: Workspace,
  { trust }: PushedDelivery,
  policy: Policy,
  homeFolder: string,
): Promise<string | null> {
  if (workspace.own) return null
  if (!(await isFolderAllowed(policy, workspace.folder, homeFolder)))
    return `This machine's policy allows no runs in ${workspace.folder} (allowed: ${list(policy.folders)}).`
  if (trust === 'public' && !(await isFolderAllowed(policy.public, workspace.folder, homeFolder)))
    return `This machine's policy lets work that came from outside into no folder like ${workspace.folder} (public.folders: ${list(policy.public.folders)}). Name it there, or give the job the workspace "scratch".`
  return null
}

async function findWorktreePlace(
  folders: Folders,
  delivery: PushedDelivery,
  policy: Policy,
): Promise<Place | Refusal> {
  const asked = delivery.workspace.worktree
  if (!asked) throw new Error('The delivery asks for no worktree.')
  let { repository } = asked
  if (isRepositoryUrl(repository)) {
    if (!isRepositoryAllowed(policy.repositories, repository))
      return never(
        'policy',
        `This machine's policy allows no worktrees of ${repository} (repositories: ${list(policy.repositories)}). Add the beginning of its address to "repositories" there.`,
      )
  } else {
    const path = repository.replace(/^~(?=$|\/)/, folders.homeFolder)
    const real = await realpath(path).catch(() => null)
    if (real === null)
      return never(
        'workspace',
        `The repository ${path} does not exist on this machine: clone it there, or give the job another one.`,
      )
    const problem = await folderProblem({ folder: real, own: false }, delivery, policy, folders.homeFolder)
    if (problem) return never('policy', problem)
    repository = real
  }
  const worktree: WantedWorktree = {
    runId: delivery.runId,
    agentKey: delivery.agent.key,
    jobKey: delivery.job?.key ?? null,
    repository,
    ref: asked.ref,
  }
  const cwd = worktreeFolder(folders.worktrees, worktree)
  return { cwd, worktree, isAlone: true, mountFolder: dirname(dirname(cwd)) }
}
