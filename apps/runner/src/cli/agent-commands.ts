import type { Command } from 'commander'
import { addAgentKitCommands } from './agent-kit-commands.ts'
import { APPROVAL_OPTIONS } from './approval-options.ts'
import { addGroup, addLeaf } from './leaf.ts'

const LIMIT_OPTIONS: [string, string][] = [
  ...APPROVAL_OPTIONS,
  ['--max-concurrent <count>', 'how many runs at once'],
  ['--per-hour <count>', 'how many runs start within an hour'],
]

const ISOLATION_OPTIONS: [string, string][] = [
  ['--sandbox <kind>', 'where its process runs: none, or bubblewrap'],
  ['--container <image>', 'run it in a container of this image'],
  ['--engine <name>', 'of the container: docker, podman or auto'],
  ['--memory <size>', 'of the container, such as 4g or 512m'],
  ['--cpus <count>', 'of the container'],
  ['--pids <count>', 'of the container: most processes at once'],
  ['--network <name>', 'of the container: none, bridge or a network there; of the sandbox: none'],
]

export function addAgentCommands(program: Command): void {
  const agent = addGroup(program, 'agent', 'the workers of your organization')
  const load = () => import('./agent.ts')
  addLeaf(
    agent,
    {
      usage: 'create <key> [arguments...]',
      summary: 'make an agent on a machine',
      options: [
        [
          '-r, --runtime <runtime>',
          'claude, codex, gemini, opencode, acp, chat or command; "auto" takes the best that is signed in there',
          'claude',
        ],
        [
          '-c, --command <program...>',
          'for command and acp: the program and its arguments, on this machine; arguments that begin with a dash after --',
        ],
        ['--format <format>', 'for command: what it prints, text or stream-json', 'text'],
        ['-m, --machine <name>', 'which machine (default: this one)'],
        ['--model <model>', "the agent's model"],
        ['--instructions <text>', 'told to it before every prompt'],
        ['--permissions <mode>', 'read_only, edit or full'],
        [
          '--workspace <dir>',
          'the folder it works in, "scratch" for a new one each run, or worktree:<folder or URL>[#ref]; without it one of its own',
        ],
        ...LIMIT_OPTIONS,
        ...ISOLATION_OPTIONS,
      ],
      examples: [
        ['baton agent create claude', 'Claude Code on this machine'],
        ['baton agent create helper --runtime auto', 'the best CLI that is signed in on this machine'],
        ['baton agent create talk --runtime chat --model openai/gpt-5', 'a model alone, without tools'],
        [
          'baton agent create gem --runtime acp --command gemini -- --acp --skip-trust',
          'any agent that speaks the Agent Client Protocol',
        ],
        [
          'baton agent create careful --approvals ask --allow "Bash(git *)"',
          'asks you before other commands',
        ],
        [
          'baton agent create lint --runtime command --command ./lint.sh',
          "a script, added to this machine's policy",
        ],
      ],
    },
    async () => (await load()).createAgent,
  )
  addLeaf(
    agent,
    {
      usage: 'update <agent>',
      summary: 'change an agent; what is not given stays',
      options: [
        ['--name <name>', 'for people'],
        ['--model <model>', "the agent's model"],
        ['--instructions <text>', 'told to it before every prompt'],
        ['--permissions <mode>', 'read_only, edit or full'],
        ['--workspace <dir>', 'the folder it works in, or "scratch" for a new one each run'],
        ...LIMIT_OPTIONS,
        ...ISOLATION_OPTIONS,
      ],
      examples: [['baton agent update claude --max-concurrent 2 --per-hour 20', 'its next run has it']],
    },
    async () => (await load()).updateAgent,
  )
  addLeaf(
    agent,
    {
      usage: 'list',
      summary: 'every agent and what it does now',
      examples: [['baton agent list', 'with what runs and waits']],
    },
    async () => (await load()).listAgents,
  )
  addLeaf(
    agent,
    {
      usage: 'show <agent>',
      summary: 'one agent',
      examples: [['baton agent show claude', 'takes a key or an id']],
    },
    async () => (await load()).showAgent,
  )
  addLeaf(
    agent,
    {
      usage: 'detect',
      summary: 'the agents installed on this machine, and whether they are signed in',
      examples: [['baton agent detect', 'asks nobody but this machine']],
    },
    async () => (await load()).detectAgents,
  )
  addLeaf(
    agent,
    {
      usage: 'pause <agent>',
      summary: 'let its work wait',
      examples: [['baton agent pause claude', 'what runs goes on; what is new waits']],
    },
    async () => (await load()).pauseAgent,
  )
  addLeaf(
    agent,
    {
      usage: 'resume <agent>',
      summary: 'let it work again',
      examples: [['baton agent resume claude', 'what waited starts']],
    },
    async () => (await load()).resumeAgent,
  )
  addLeaf(
    agent,
    {
      usage: 'archive <agent>',
      summary: 'put it out of the lists; its history stays',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton agent archive old --yes', 'its runs can still be read']],
    },
    async () => (await load()).archiveAgent,
  )
  addAgentKitCommands(agent)
}
