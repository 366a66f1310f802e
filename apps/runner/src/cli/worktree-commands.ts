import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

/** What runs change: on this machine (worktrees), and of one run (diff and undo). */
export function addWorktreeCommands(program: Command): void {
  const worktree = addGroup(program, 'worktree', 'the git worktrees that runs on this machine left')
  const load = () => import('./worktree.ts')
  addLeaf(
    worktree,
    {
      usage: 'list',
      summary: 'each with its branch, and whether its work is anywhere else',
      examples: [['baton worktree list', 'asks nobody but this machine']],
    },
    async () => (await load()).listWorktrees,
  )
  addLeaf(
    worktree,
    {
      usage: 'clean',
      summary: 'remove those whose work was merged or pushed',
      options: [
        ['--dry-run', 'say what would be removed'],
        ['--force', 'also remove work that is nowhere else'],
        ['-y, --yes', 'do not ask'],
      ],
      examples: [['baton worktree clean --dry-run', 'nothing that is only here goes without --force']],
    },
    async () => (await load()).clean,
  )
}

export function addChangesCommands(runs: Command): void {
  addLeaf(
    runs,
    {
      usage: 'diff <run>',
      summary: 'what a run changed: files, commits and the diff',
      options: [
        ['--stat', 'only files and lines'],
        ['--name-only', 'only the names of files'],
      ],
      examples: [
        ['baton runs diff run_019a2b', 'also what was not committed'],
        ['baton runs diff run_019a2b --json', 'one object with all of it'],
      ],
    },
    async () => (await import('./diff.ts')).showDiff,
  )
  addLeaf(
    runs,
    {
      usage: 'undo <run>',
      summary: 'put the workspace back to before a run',
      options: [
        ['--dry-run', 'say what would be put back'],
        ['--redo', "bring an undone run's changes back"],
        ['-y, --yes', 'do not ask'],
      ],
      examples: [
        ['baton runs undo run_019a2b', 'refused where files were changed since; commits stay reachable'],
      ],
    },
    async () => (await import('./undo.ts')).undoRun,
  )
}
