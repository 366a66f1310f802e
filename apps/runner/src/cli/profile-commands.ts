import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addProfileCommands(program: Command): void {
  const profile = addGroup(program, 'profile', 'the connections of this computer, one for each relay')
  addLeaf(
    profile,
    {
      usage: 'list',
      summary: 'each with its relay, its machine and its runner',
      examples: [['baton profile list', 'the one that commands use without --profile is marked']],
    },
    async () => (await import('./profile.ts')).listProfiles,
  )
}
