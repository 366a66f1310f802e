import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'
import { addTranscriptCommands } from './transcript-commands.ts'
import { addChangesCommands } from './worktree-commands.ts'

export function addRunCommands(program: Command): void {
  addLeaf(
    program,
    {
      usage: 'run <prompt>',
      summary: 'send work to an agent, watch it, end as it ends',
      options: [
        ['-a, --agent <key>', 'which agent, or "auto" for one that is ready', 'auto'],
        [
          '-C, --cwd <dir>',
          "folder on the agent's machine (default: this one, when the agent is on this machine)",
        ],
        ['--worktree [ref]', 'in a git worktree of that folder, on a branch of its own'],
        ['--timeout <seconds>', 'longest time the run may take'],
        ['--priority <n>', 'from -100 to 100; higher goes first on its machine'],
        ['--conversation <name>', 'go on with the conversation of this name, or begin it'],
        ['--continue <run|conversation>', 'go on with the conversation of that run, or of that name'],
        ['--detach', 'print the run and do not wait'],
      ],
      examples: [
        ['baton run "Explain this repository in five bullets" --agent claude', 'in the folder you are in'],
        ['git diff | baton run - --agent claude', 'the prompt comes from stdin'],
        ['baton run "Update the changelog" --json', 'one object with the whole result, at the end'],
      ],
    },
    async () => (await import('./run.ts')).startRun,
  )
  addLeaf(
    program,
    {
      usage: 'logs <run>',
      summary: 'what an agent did; takes a run, a delivery or the beginning of a run',
      options: [
        ['-f, --follow', 'go on until the run ends, then end as it ended'],
        ['-n, --tail <events>', 'only the last ones'],
        ['--raw', 'the bytes the agent printed, unchanged'],
      ],
      examples: [
        ['baton logs run_019a2b -f', 'all of it so far, then live'],
        ['baton logs run_019a2b --json', 'one event a line'],
      ],
    },
    async () => (await import('./logs.ts')).showLogs,
  )
  addLeaf(
    program,
    {
      usage: 'why <thing>',
      summary: 'why a run, event, machine, agent or job waits, and what unblocks it',
      examples: [
        ['baton why run_019a2b', 'everything that stands between it and its next step'],
        ['baton why claude', 'takes ids, machine names, agent keys and job keys'],
      ],
    },
    async () => (await import('./why.ts')).explain,
  )
  addRunsGroup(program)
}

function addRunsGroup(program: Command): void {
  const runs = addGroup(program, 'runs', 'the runs of all agents')
  const load = () => import('./runs.ts')
  addLeaf(
    runs,
    {
      usage: 'list',
      summary: 'newest first',
      options: [
        ['-s, --status <words>', 'only these, such as running,failed'],
        ['-a, --agent <key>', 'only of this agent'],
        ['-j, --job <key>', 'only of this job'],
        ['-m, --machine <name>', 'only on this machine'],
        ['-n, --limit <count>', 'how many', '20'],
      ],
      examples: [['baton runs list --status failed --limit 5', 'the last five that failed']],
    },
    async () => (await load()).listRuns,
  )
  addLeaf(
    runs,
    {
      usage: 'show <run>',
      summary: 'one run: what it came to, its stages and their times',
      examples: [['baton runs show run_019a2b', 'takes the beginning of an id']],
    },
    async () => (await load()).showRun,
  )
  addLeaf(
    runs,
    {
      usage: 'wait <run>',
      summary: 'wait for the end of a run, and end as it ended',
      options: [['--timeout <seconds>', 'stop waiting after this long, with exit code 124; the run goes on']],
      examples: [
        ['baton runs wait run_019a2b', 'exit code 0 when it is done, 8 when it failed'],
        ['baton runs wait run_019a2b --timeout 600 --json', 'the whole run as one object'],
      ],
    },
    async () => (await import('./wait-run.ts')).waitRun,
  )
  addLeaf(
    runs,
    {
      usage: 'cancel <run>',
      summary: 'end a run and every process it started',
      options: [['--reason <text>', 'kept with the run']],
      examples: [['baton runs cancel run_019a2b', 'waits until it has ended']],
    },
    async () => (await load()).cancelRun,
  )
  addLeaf(
    runs,
    {
      usage: 'steer <run> <text>',
      summary: 'say something to a run while its agent works',
      examples: [
        ['baton runs steer run_019a2b "Use pnpm, not npm"', 'where its runtime can; else it says so'],
        ['baton runs steer run_019a2b - < notes.md', 'the message comes from stdin'],
      ],
    },
    async () => (await load()).steerRun,
  )
  addLeaf(
    runs,
    {
      usage: 'interrupt <run>',
      summary: 'end what its agent does right now, and let it end by itself',
      examples: [['baton runs interrupt run_019a2b', 'after "baton runs steer" it goes on with that']],
    },
    async () => (await load()).interruptRun,
  )
  addLeaf(
    runs,
    {
      usage: 'again <run>',
      summary: 'the same prompt, agent and event once more',
      examples: [['baton runs again run_019a2b', 'prints the new run; follow it with "baton logs -f"']],
    },
    async () => (await load()).runAgain,
  )
  addLeaf(
    runs,
    {
      usage: 'move <run>',
      summary: 'give work that waits for its machine to another agent',
      options: [
        ['-a, --agent <key>', 'who takes it'],
        ['-C, --cwd <dir>', "folder on the new agent's machine"],
        ['-y, --yes', 'do not ask'],
      ],
      examples: [
        [
          'baton runs move run_019a2b --agent claude-desktop',
          'what the old machine reports later changes nothing else',
        ],
      ],
    },
    async () => (await load()).moveRun,
  )
  addLeaf(
    runs,
    {
      usage: 'give-up <run>',
      summary: 'stop waiting for the machine of a run that stalled',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton runs give-up run_019a2b --yes', 'the delivery has failed from then on']],
    },
    async () => (await load()).giveUpRun,
  )
  addLeaf(
    runs,
    {
      usage: 'spawn <run>',
      summary:
        'how the agent of a run was started and how it ended: command, versions, environment names, exit',
      examples: [['baton runs spawn run_019a2b', 'what to look at when an agent would not start']],
    },
    async () => (await import('./spawn.ts')).showSpawn,
  )
  addChangesCommands(runs)
  addTranscriptCommands(runs)
}
