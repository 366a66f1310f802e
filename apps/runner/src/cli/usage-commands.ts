import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

/** What agents used, and the conversations that they can go on with. */
export function addUsageCommands(program: Command): void {
  addLeaf(
    program,
    {
      usage: 'usage',
      summary: 'tokens and money that agents used, summed',
      options: [
        ['--by <what>', 'agent, job, model, day or machine', 'agent'],
        [
          '--since <day>',
          'from this day of UTC on, like 2026-11-20, or 7d for the last seven (default: 30d)',
        ],
        ['--until <day>', 'up to this day (default: today)'],
        ['-a, --agent <agent>', 'of one agent'],
        ['-j, --job <job>', 'of one job'],
      ],
      examples: [
        ['baton usage --by day --since 7d', 'the last week, day by day'],
        ['baton usage --by model --json', 'for scripts'],
      ],
    },
    async () => (await import('./usage.ts')).showUsage,
  )
  const session = addGroup(program, 'session', 'conversations that agents can go on with')
  const load = () => import('./agent-session.ts')
  addLeaf(
    session,
    {
      usage: 'list',
      summary: 'every kept conversation, the newest first',
      options: [['-a, --agent <agent>', 'of one agent']],
      examples: [['baton session list --agent claude', 'go on with one: baton run "…" --continue <name>']],
    },
    async () => (await load()).listSessions,
  )
  addLeaf(
    session,
    {
      usage: 'forget <conversation>',
      summary: 'let the next run of a conversation start afresh',
      options: [
        ['-a, --agent <agent>', 'whose, when several agents have one of that name'],
        ['-y, --yes', 'do not ask'],
      ],
      examples: [
        ['baton session forget review-42 --yes', "what the agent's own CLI keeps stays on its machine"],
      ],
    },
    async () => (await load()).forgetSession,
  )
}
