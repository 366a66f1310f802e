import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addServiceCommands(program: Command): void {
  const service = addGroup(program, 'service', 'the runner as a service that starts with this computer')
  const load = () => import('./service.ts')
  addLeaf(
    service,
    {
      usage: 'install',
      summary: 'let systemd or launchd run the runner of this profile, from now on and after a restart',
      examples: [
        ['baton service install', 'after "baton up --server <url> --key-stdin" did its work once'],
        ['baton service install --profile staging', 'a second one, for another relay'],
      ],
    },
    async () => (await load()).installService,
  )
  addLeaf(
    service,
    {
      usage: 'uninstall',
      summary: 'stop the runner and take the service away; agents at work go on',
      examples: [
        ['baton service uninstall', 'the connection to the relay stays: "baton up" starts it by hand'],
      ],
    },
    async () => (await load()).uninstallService,
  )
  addLeaf(
    service,
    {
      usage: 'print',
      summary: 'what install would write, for a service manager of your own',
      examples: [['baton service print > baton-runner.service', 'to read or change it first']],
    },
    async () => (await load()).printService,
  )
}
