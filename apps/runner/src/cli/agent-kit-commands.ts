import type { Command } from 'commander'
import { BUDGET_OPTIONS } from './budget.ts'
import { addGroup, addLeaf } from './leaf.ts'

/** What an agent is given besides its instructions: a budget, secrets, skills and a memory. */
export function addAgentKitCommands(agent: Command): void {
  addLeaf(
    agent,
    {
      usage: 'budget <agent>',
      summary: 'what one run and all runs of a day may use, shown or changed',
      options: BUDGET_OPTIONS,
      examples: [
        [
          'baton agent budget claude --run-usd 2 --day-usd 20',
          'what waits past that goes on at midnight UTC',
        ],
        ['baton agent budget claude --day-usd none', 'no budget of the day any more'],
      ],
    },
    async () => (await import('./budget.ts')).agentBudget,
  )
  addLeaf(
    agent,
    {
      usage: 'memory <agent>',
      summary: 'what the agent keeps on this machine between its runs: MEMORY.md and notes/',
      options: [
        ['--edit', 'open MEMORY.md in $EDITOR'],
        ['--clear', 'forget all of it'],
        ['-y, --yes', 'do not ask'],
      ],
      examples: [['baton agent memory claude', 'the text and the names of its notes']],
    },
    async () => (await import('./agent-memory.ts')).agentMemory,
  )
  addSecretCommands(agent)
  addSkillCommands(agent)
}

function addSecretCommands(agent: Command): void {
  const secret = addGroup(agent, 'secret', "values for an agent's environment that nobody can read again")
  const load = () => import('./agent-secret.ts')
  addLeaf(
    secret,
    {
      usage: 'set <agent> <name>',
      summary: 'set a secret; its value is asked for, or read from stdin',
      examples: [
        ['baton agent secret set claude DEPLOY_TOKEN < token.txt', 'the next run has it in its environment'],
      ],
    },
    async () => (await load()).setSecret,
  )
  addLeaf(
    secret,
    {
      usage: 'list <agent>',
      summary: 'the names of its secrets and when they were set',
      examples: [['baton agent secret list claude', 'values are shown to nobody']],
    },
    async () => (await load()).listSecrets,
  )
  addLeaf(
    secret,
    {
      usage: 'delete <agent> <name>',
      summary: 'delete a secret',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton agent secret delete claude DEPLOY_TOKEN --yes', 'runs that are under way keep it']],
    },
    async () => (await load()).deleteSecret,
  )
}

function addSkillCommands(agent: Command): void {
  const skill = addGroup(agent, 'skill', 'Markdown files that an agent finds on its machine')
  const load = () => import('./agent-skill.ts')
  addLeaf(
    skill,
    {
      usage: 'add <agent> <file>',
      summary:
        'give the agent a skill: a SKILL.md, the folder of one, or "-" for stdin; one of its name is replaced',
      options: [['--name <name>', "another name than the folder's or the file's"]],
      examples: [['baton agent skill add claude ./release-notes', 'reads ./release-notes/SKILL.md']],
    },
    async () => (await load()).addSkill,
  )
  addLeaf(
    skill,
    {
      usage: 'list <agent>',
      summary: 'its skills and what each is for',
      examples: [['baton agent skill list claude', 'with --json also their texts']],
    },
    async () => (await load()).listSkills,
  )
  addLeaf(
    skill,
    {
      usage: 'remove <agent> <name>',
      summary: 'take a skill away; its next run does not have it',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton agent skill remove claude release-notes --yes', 'what a person put there stays']],
    },
    async () => (await load()).removeSkill,
  )
}
