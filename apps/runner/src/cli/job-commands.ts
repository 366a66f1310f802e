import type { Command } from 'commander'
import { APPROVAL_OPTIONS } from './approval-options.ts'
import { BUDGET_OPTIONS } from './budget.ts'
import { addJobTriggerCommands } from './job-trigger-commands.ts'
import { addGroup, addLeaf } from './leaf.ts'
import { TO_OPTIONS } from './output-options.ts'
import { RULE_OPTIONS } from './rule-options.ts'
import { TRIGGER_OPTIONS } from './trigger-options.ts'

export function addJobCommands(program: Command): void {
  const job = addGroup(
    program,
    'job',
    'work that is kept and fired by webhooks, schedules, files, pushes or by hand',
  )
  const load = () => import('./job.ts')
  addLeaf(
    job,
    {
      usage: 'create <key>',
      summary: 'keep a job; prints its public address and secret once',
      options: [
        ['-a, --agent <key>', 'who does it'],
        ['-p, --prompt <text>', 'what to do, filled from the payload: {{ payload.ref }}'],
        ['--prompt-file <file>', 'the same, from a file'],
        ['-C, --cwd <dir>', "the folder it works in, on the agent's machine"],
        ['--name <name>', 'for people'],
        ...TRIGGER_OPTIONS,
        ...TO_OPTIONS,
        ...RULE_OPTIONS,
        ...APPROVAL_OPTIONS,
      ],
      examples: [
        [
          'baton job create review --agent claude --prompt "Review {{ payload.head_commit.id }}" --hook github',
          'on every push that GitHub reports',
        ],
        [
          'baton job create nightly --agent claude --prompt-file nightly.md --hook baton',
          'prints a curl line to try it',
        ],
        [
          'baton job create report --agent claude --prompt "Report, it is {{ fire.at }}" --cron "30 2 * * 1-5" --zone Europe/Berlin',
          'on workdays at 02:30 in Berlin',
        ],
        [
          'baton job create fix --agent claude --prompt "Fix what the comment asks for" --on github:issue_comment --command /fix --repo acme/shop',
          'when somebody with write permission comments /fix; needs "baton integration github setup"',
        ],
        [
          'baton job create docs --agent claude --prompt "These changed: {{ changes.paths }}" --watch ~/project --glob "docs/**"',
          "when files change on the agent's machine",
        ],
        [
          'baton job create triage --agent claude --prompt-file t.md --to log email:ops@example.com --to-on failure',
          'and mail somebody when it fails',
        ],
        [
          'baton job create deploy --agent claude --prompt-file d.md --hook github --concurrency-key "{{ payload.repository.full_name }}" --overlap replace',
          'one at a time for each repository, the newest push wins',
        ],
      ],
    },
    async () => (await load()).createJob,
  )
  addLeaf(
    job,
    {
      usage: 'list',
      summary: 'every job with its last runs',
      examples: [['baton job list', 'disabled ones too']],
    },
    async () => (await load()).listJobs,
  )
  addLeaf(
    job,
    {
      usage: 'show <job>',
      summary: 'one job',
      examples: [['baton job show review', 'takes a key or an id']],
    },
    async () => (await load()).showJob,
  )
  addLeaf(
    job,
    {
      usage: 'update <job>',
      summary: 'change a job; what is not given stays',
      options: [
        ['--name <name>', 'for people'],
        ['-a, --agent <key>', 'who does it'],
        ['-p, --prompt <text>', 'what to do'],
        ['--prompt-file <file>', 'the same, from a file or "-"'],
        ['-C, --cwd <dir>', 'the folder it works in, or "none": its agent\'s'],
        ...RULE_OPTIONS,
      ],
      examples: [
        ['baton job update review --prompt-file review.md', 'from its next event on'],
        ['baton job update review --agent codex --priority 10', 'another agent, and before other work'],
      ],
    },
    async () => (await import('./job-update.ts')).updateJob,
  )
  addLeaf(
    job,
    {
      usage: 'approvals <job>',
      summary: 'what its runs may do without asking; with options, change it',
      options: [...APPROVAL_OPTIONS, ['--inherit', 'nothing of its own: as its agent says']],
      examples: [
        ['baton job approvals review', 'its own allow-list; "baton approval allow --job" adds to it'],
        ['baton job approvals review --allow "Bash(npm test)"', 'this list instead of the one before'],
      ],
    },
    async () => (await import('./approval-job.ts')).jobApprovals,
  )
  addLeaf(
    job,
    {
      usage: 'run <job>',
      summary: 'fire it by hand',
      options: [
        ['--payload <json>', 'what its prompt is filled from'],
        ['--payload-file <file>', 'the same, from a file or "-"'],
        ['-f, --follow', 'show the run and end as it ends'],
      ],
      examples: [['baton job run review --payload \'{"ref":"main"}\' -f', 'as if that had been received']],
    },
    async () => (await load()).runJob,
  )
  addLeaf(
    job,
    {
      usage: 'enable <job>',
      summary: 'let events fire it',
      examples: [['baton job enable review', 'from now on']],
    },
    async () => (await load()).enableJob,
  )
  addLeaf(
    job,
    {
      usage: 'disable <job>',
      summary: 'let events fire nothing; they are still kept',
      examples: [['baton job disable review', 'until "baton job enable review"']],
    },
    async () => (await load()).disableJob,
  )
  addLeaf(
    job,
    {
      usage: 'rotate-secret <job>',
      summary: 'make a new webhook secret and show it once',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton job rotate-secret review --yes', 'then give it to the sender']],
    },
    async () => (await load()).rotateJobSecret,
  )
  addLeaf(
    job,
    {
      usage: 'delete <job>',
      summary: 'delete a job; its runs stay',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton job delete review --yes', 'its address answers 404 from then on']],
    },
    async () => (await load()).deleteJob,
  )
  addLeaf(
    job,
    {
      usage: 'budget <job>',
      summary: 'what one run and all runs of a day may use, shown or changed',
      options: BUDGET_OPTIONS,
      examples: [['baton job budget review --day-usd 5', 'what waits past that goes on at midnight UTC']],
    },
    async () => (await import('./budget.ts')).jobBudget,
  )
  addLeaf(
    job,
    {
      usage: 'public <job>',
      summary: 'what runs that came from outside (a webhook, a comment) may do, shown or changed',
      options: [
        ['--trust <who>', '"member": like a member\'s work; "public": the least power'],
        ['--mode <mode>', 'read_only, edit or full'],
      ],
      examples: [
        ['baton job public review --mode edit', 'where the policy file of the machine allows it too'],
      ],
    },
    async () => (await import('./job-public.ts')).jobPublic,
  )
  addJobTriggerCommands(job)
}
