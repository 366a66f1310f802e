import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addEventCommands(program: Command): void {
  const event = addGroup(program, 'event', 'what arrived, and what came of it')
  const load = () => import('./event.ts')
  addLeaf(
    event,
    {
      usage: 'list',
      summary: 'newest first',
      options: [
        ['-j, --job <key>', 'only of this job, with what was refused at its addresses'],
        ['--trigger <trigger>', 'only of this trigger'],
        ['--state <state>', 'matched or ignored'],
        ['--source <source...>', 'webhook, cron, file_change, git_push, manual, …'],
        ['--search <text>', 'with this text in the body, a header or the id of the sender'],
        ['--since <time>', 'from then on: 2h (ago) or a date'],
        ['--until <time>', 'up to then'],
        ['-n, --limit <count>', 'how many', '20'],
      ],
      examples: [
        ['baton event list --job review', 'with why nothing happened, where nothing did'],
        ['baton event list --search pull/42 --since 2d', 'what came about one pull request'],
      ],
    },
    async () => (await load()).listEvents,
  )
  addLeaf(
    event,
    {
      usage: 'show <event>',
      summary: 'one event: headers, body, deliveries',
      options: [['--body', 'only the body, byte for byte']],
      examples: [['baton event show evt_019… --body > push.json', 'keep it as a fixture']],
    },
    async () => (await load()).showEvent,
  )
  addLeaf(
    event,
    {
      usage: 'replay <event>',
      summary: 'fire its job once more with the stored body, or with a changed one',
      options: [
        ['--body-file <file>', 'with this body instead, from a file or "-"'],
        ['--header <line...>', 'with these headers instead: "Name: value"'],
      ],
      examples: [
        ['baton event replay evt_019…', 'prints the new run'],
        [
          'baton event show evt_019… --body | sed s/main/dev/ | baton event replay evt_019… --body-file -',
          'changed on the way',
        ],
      ],
    },
    async () => (await load()).replayEvent,
  )
  addLeaf(
    event,
    {
      usage: 'curl <event>',
      summary: 'lines for a shell that send it again, signed with the secret that you give them',
      examples: [['baton event curl evt_019… > again.sh', 'the secret is not in it']],
    },
    async () => (await load()).curlEvent,
  )
  addLeaf(
    event,
    {
      usage: 'fixture <event>',
      summary: 'the request as JSON, for a test',
      examples: [['baton event fixture evt_019… > test/push.json', 'headers without secrets, and the body']],
    },
    async () => (await load()).fixtureEvent,
  )
  addLeaf(
    event,
    {
      usage: 'sample <job>',
      summary: "let the relay send the job's webhook a signed request, as its sender would",
      options: [
        ['--trigger <trigger>', 'which webhook, where there are several'],
        ['--body-file <file>', 'with this body, from a file or "-"'],
        ['--header <line...>', 'with these headers besides: "Name: value"'],
      ],
      examples: [['baton event sample review', 'a real request over the whole way']],
    },
    async () => (await load()).sendSample,
  )
}
