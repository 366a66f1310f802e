import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'
import { RULE_OPTIONS } from './rule-options.ts'
import { TRIGGER_OPTIONS } from './trigger-options.ts'

/** What fires a job, and trying it without running it. */
export function addJobTriggerCommands(job: Command): void {
  const trigger = addGroup(job, 'trigger', 'what fires a job: webhooks, schedules, files, pushes')
  const load = () => import('./job-triggers.ts')
  addLeaf(
    trigger,
    {
      usage: 'add <job>',
      summary: 'let something more fire a job',
      options: TRIGGER_OPTIONS,
      examples: [
        [
          'baton job trigger add review --hook github --filter "payload.action eq opened" --filter "event.headers.x-github-event eq pull_request"',
          'only pull requests that are opened',
        ],
        ['baton job trigger add report --cron "30 2 * * 1-5" --zone Europe/Berlin', 'on workdays at 02:30'],
        ['baton job trigger add sync --every 15m --misfire none', 'nothing is made up for later'],
        [
          'baton job trigger add docs --watch ~/project --glob "docs/**" --quiet 5s',
          "on the agent's machine",
        ],
        ['baton job trigger add test --git-push --branch main "release/*"', 'then: baton hook git install'],
        [
          'SLACK=… baton job trigger add answer --hook slack --secret-env SLACK',
          'with the secret that Slack shows',
        ],
      ],
    },
    async () => (await load()).addTrigger,
  )
  addLeaf(
    trigger,
    {
      usage: 'list <job>',
      summary: 'what fires a job, and what its machine says about watched folders',
      examples: [['baton job trigger list review', 'with the ids that the other commands take']],
    },
    async () => (await load()).listTriggers,
  )
  addLeaf(
    trigger,
    {
      usage: 'pause <trigger>',
      summary: 'keep what comes for it and fire nothing',
      examples: [['baton job trigger pause trg_019…', 'until "baton job trigger resume trg_019…"']],
    },
    async () => (await load()).pauseTrigger,
  )
  addLeaf(
    trigger,
    {
      usage: 'resume <trigger>',
      summary: 'let it fire again; schedules go on from now',
      examples: [['baton job trigger resume trg_019…', 'nothing is made up for the pause']],
    },
    async () => (await load()).resumeTrigger,
  )
  addLeaf(
    trigger,
    {
      usage: 'remove <trigger>',
      summary: 'take it away from its job',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton job trigger remove trg_019… --yes', 'its events stay in the inbox']],
    },
    async () => (await load()).removeTrigger,
  )
  addLeaf(
    job,
    {
      usage: 'next [job]',
      summary: 'when its schedules fire next, in words and in your zone',
      options: [
        ['--cron <expression>', 'of this expression instead of a job'],
        ['--every <duration>', 'of this interval instead of a job'],
        ['--zone <zone>', "the time zone (default: this computer's)"],
        ['-n, --count <count>', 'how many', '5'],
      ],
      examples: [
        ['baton job next report', 'the next five times'],
        ['baton job next --cron "0 9 L * *" --zone Asia/Tokyo', 'before it is saved'],
      ],
    },
    async () => (await load()).showNextFires,
  )
  const loadTrials = () => import('./job-trials.ts')
  addLeaf(
    job,
    {
      usage: 'rehearse [job]',
      summary: 'show what a job, kept or not yet, would make of an event; nothing is stored, nothing runs',
      options: [
        ['-e, --event <event>', 'of this stored event'],
        ['--payload <json>', 'of this payload'],
        ['--payload-file <file>', 'the same, from a file or "-"'],
        ['--trigger <trigger>', 'as if it came for this trigger of the job'],
        ['-p, --prompt <text>', 'of this prompt, instead of the one that is kept'],
        ['--prompt-file <file>', 'the same, from a file'],
        ['-a, --agent <key>', 'without a job: who would do it'],
        ...TRIGGER_OPTIONS,
        ...RULE_OPTIONS,
      ],
      examples: [
        ['baton job rehearse review --event evt_019…', 'the prompt, the filters, and what would happen next'],
        ['baton job rehearse review --payload \'{"action":"opened"}\'', 'without any event'],
        ['baton job rehearse review --prompt-file new.md --event evt_019…', 'before the prompt is changed'],
        [
          'baton job rehearse --prompt "Review {{ payload.number }}" --hook github --filter "payload.action eq opened" --payload-file pull.json',
          'before there is a job: what is missing in the payload is named',
        ],
      ],
    },
    async () => (await loadTrials()).rehearseJob,
  )
  addLeaf(
    job,
    {
      usage: 'simulate <job>',
      summary: "which of the last days' events would fire it as it is now, and why not the others",
      options: [['--days <days>', 'how far back, up to 7', '7']],
      examples: [['baton job simulate review --days 2', 'after a filter was changed']],
    },
    async () => (await loadTrials()).simulateJob,
  )
}
