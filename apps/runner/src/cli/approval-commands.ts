import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addApprovalCommands(program: Command): void {
  const approval = addGroup(program, 'approval', 'what agents ask before they act')
  const load = () => import('./approval.ts')
  addLeaf(
    approval,
    {
      usage: 'list',
      summary: 'what waits for an answer, newest first',
      options: [
        ['--all', 'also what was answered'],
        ['-r, --run <run>', 'everything that this run asked'],
        ['-n, --limit <count>', 'how many', '20'],
      ],
      examples: [['baton approval list', 'nothing here means that no agent waits']],
    },
    async () => (await load()).listApprovals,
  )
  addLeaf(
    approval,
    {
      usage: 'show <approval>',
      summary: 'the exact action that is asked for',
      examples: [['baton approval show apr_019a2b', 'takes the beginning of an id']],
    },
    async () => (await load()).showApproval,
  )
  addLeaf(
    approval,
    {
      usage: 'allow <approval>',
      summary: 'let the agent do exactly this; the first answer counts',
      options: [
        ['--session', 'and the same again for the rest of its run'],
        ['--job', 'and the same again in every later run of its job'],
        ['--pattern <pattern>', 'with --session or --job: what the same is, such as "Bash(git *)"'],
        ['-m, --message <text>', 'the answer, where the agent asks a question'],
      ],
      examples: [
        ['baton approval allow apr_019a2b', 'this once'],
        [
          'baton approval allow apr_019a2b --job --pattern "Bash(npm *)"',
          'see the list: baton job show <job>',
        ],
      ],
    },
    async () => (await load()).allowApproval,
  )
  addLeaf(
    approval,
    {
      usage: 'deny <approval>',
      summary: 'refuse it; the agent goes on without',
      options: [['-m, --message <text>', 'told to the agent']],
      examples: [['baton approval deny apr_019a2b -m "Use pnpm instead"', 'it can try another way']],
    },
    async () => (await load()).denyApproval,
  )
}
