import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'
import { OUTPUT_KIND_OPTIONS, OUTPUT_TEXT_OPTIONS } from './output-options.ts'

export function addOutputCommands(program: Command): void {
  const output = addGroup(program, 'output', 'where the results of jobs go')
  const load = () => import('./output.ts')
  addLeaf(
    output,
    {
      usage: 'add <job> <where>',
      summary:
        'send results to log, stdout, file:<path>, slack, slack:<channel>, email:<address,…>, webhook:<url>, github_comment[:owner/name#1]',
      options: [...OUTPUT_TEXT_OPTIONS, ...OUTPUT_KIND_OPTIONS],
      examples: [
        ['baton output add nightly email:ops@example.com --on failure', 'by the mail server of the relay'],
        [
          'baton output add nightly email:ops@example.com --from ci@example.com --smtp mail.example.com:587 --smtp-user ci --secret-env SMTP_PASSWORD',
          'by one of your own',
        ],
        [
          'baton output add review slack:C0123456789 --secret-env SLACK_TOKEN --format markdown',
          'as a Slack bot; the token is in SLACK_TOKEN',
        ],
        [
          'baton output add review slack --secret-env SLACK_WEBHOOK',
          'through an incoming webhook, whose address is in SLACK_WEBHOOK',
        ],
        [
          'baton output add deploy webhook:https://ci.example.com/done --header Authorization=CI_AUTH',
          'signed; prints the signing secret once',
        ],
        [
          'baton output add report "file:reports/{{ run.id }}.md" --body "{{ run.result }}"',
          "on the agent's machine, in the workspace of the run",
        ],
        [
          'baton output add triage log --on success --schema result.schema.json',
          'kept with the run, when the result matches',
        ],
      ],
    },
    async () => (await load()).addOutput,
  )
  addLeaf(
    output,
    {
      usage: 'list',
      summary: 'every output with what came of its last dispatch',
      options: [['-j, --job <key>', 'only of this job']],
      examples: [['baton output list --job review', 'with their ids']],
    },
    async () => (await load()).listOutputs,
  )
  addLeaf(
    output,
    {
      usage: 'show <output>',
      summary: 'one output; secrets show as ***',
      examples: [['baton output show out_019…', 'with its templates']],
    },
    async () => (await load()).showOutput,
  )
  addLeaf(
    output,
    {
      usage: 'update <output>',
      summary: 'change when it is sent and what it says',
      options: OUTPUT_TEXT_OPTIONS,
      examples: [
        [
          'baton output update out_019… --on failure --subject "{{ job.name }} failed"',
          'where it goes stays',
        ],
      ],
    },
    async () => (await load()).updateOutput,
  )
  addLeaf(
    output,
    {
      usage: 'test <output>',
      summary: 'send a sample now and say what came of it',
      examples: [['baton output test out_019…', 'ends with 1 when it did not arrive']],
    },
    async () => (await load()).testOutput,
  )
  addLeaf(
    output,
    {
      usage: 'enable <output>',
      summary: 'send there again',
      examples: [['baton output enable out_019…', 'also after it was switched off by itself']],
    },
    async () => (await load()).enableOutput,
  )
  addLeaf(
    output,
    {
      usage: 'disable <output>',
      summary: 'send nothing there; what waits is skipped',
      examples: [['baton output disable out_019…', 'until "baton output enable"']],
    },
    async () => (await load()).disableOutput,
  )
  addLeaf(
    output,
    {
      usage: 'remove <output>',
      summary: 'remove an output; what was sent stays in the list',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton output remove out_019… --yes', 'what waits is skipped']],
    },
    async () => (await load()).removeOutput,
  )
}

export function addDispatchCommands(program: Command): void {
  const dispatch = addGroup(program, 'dispatch', 'what was sent, is to be sent and could not be sent')
  const load = () => import('./dispatch.ts')
  addLeaf(
    dispatch,
    {
      usage: 'list',
      summary: 'newest first',
      options: [
        ['-j, --job <key>', 'only of this job'],
        ['-r, --run <run>', 'only of this run'],
        ['--state <state...>', 'only in these states: pending, sending, sent, failed, dead, skipped'],
        ['-n, --limit <count>', 'how many', '20'],
      ],
      examples: [['baton dispatch list --state failed dead', 'what could not be sent, and why']],
    },
    async () => (await load()).listDispatches,
  )
  addLeaf(
    dispatch,
    {
      usage: 'show <dispatch>',
      summary: 'one dispatch with every try',
      examples: [['baton dispatch show dsp_019…', 'why it is where it is, and when it is tried next']],
    },
    async () => (await load()).showDispatch,
  )
  addLeaf(
    dispatch,
    {
      usage: 'retry <dispatch>',
      summary: 'send again what was not sent',
      examples: [
        ['baton dispatch retry dsp_019…', 'under the same id, so that a receiver that has it leaves it out'],
      ],
    },
    async () => (await load()).retryDispatch,
  )
  addLeaf(
    dispatch,
    {
      usage: 'skip <dispatch>',
      summary: 'give up one that waits for its next try',
      examples: [['baton dispatch skip dsp_019…', 'it stays in the list']],
    },
    async () => (await load()).skipDispatch,
  )
}
