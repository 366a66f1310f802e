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
        ['-j, --job <key>', 'only of this job'],
        ['-n, --limit <count>', 'how many', '20'],
      ],
      examples: [['baton event list --job review', 'with why nothing happened, where nothing did']],
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
      summary: 'fire its job once more with the stored body',
      examples: [['baton event replay evt_019…', 'prints the new run']],
    },
    async () => (await load()).replayEvent,
  )
}
