import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addMachineCommands(program: Command): void {
  const machine = addGroup(program, 'machine', 'the computers that run agents')
  const load = () => import('./machine.ts')
  const yes = [['-y, --yes', 'do not ask']] as const
  addLeaf(
    machine,
    {
      usage: 'add <name>',
      summary: 'register a computer and show its key once',
      examples: [
        ['baton machine add build-box', 'prints sk_machine_… and the line to paste on that computer'],
      ],
    },
    async () => (await load()).addMachine,
  )
  addLeaf(
    machine,
    {
      usage: 'list',
      summary: 'every computer, whether it is online, and why not',
      examples: [['baton machine list', 'with what runs and waits on each']],
    },
    async () => (await load()).listMachines,
  )
  addLeaf(
    machine,
    {
      usage: 'show <machine>',
      summary: 'one computer and the agents found on it',
      examples: [['baton machine show build-box', 'takes a name or an id']],
    },
    async () => (await load()).showMachine,
  )
  addLeaf(
    machine,
    {
      usage: 'rename <machine> <name>',
      summary: 'give a computer another name',
      examples: [['baton machine rename build-box big-box', 'its key and its work stay']],
    },
    async () => (await load()).renameMachine,
  )
  addLeaf(
    machine,
    {
      usage: 'drain <machine>',
      summary: 'give a computer no new work; what runs there ends as usual',
      examples: [
        ['baton machine drain build-box', 'before an update or a shutdown; its work waits'],
        ['baton runs list --machine build-box --status running', 'what still runs there'],
      ],
    },
    async () => (await load()).drainMachine,
  )
  addLeaf(
    machine,
    {
      usage: 'resume <machine>',
      summary: 'let a computer that was drained take work again',
      examples: [['baton machine resume build-box', 'what waited for it starts at once']],
    },
    async () => (await load()).resumeMachine,
  )
  addLeaf(
    machine,
    {
      usage: 'rotate-key <machine>',
      summary: 'make a new key and show it once; the old one stops working',
      options: yes,
      examples: [['baton machine rotate-key build-box --yes', 'then: baton up --server <url> --key-stdin']],
    },
    async () => (await load()).rotateMachineKey,
  )
  addLeaf(
    machine,
    {
      usage: 'revoke <machine>',
      summary: 'refuse a computer from now on',
      options: yes,
      examples: [['baton machine revoke lost-laptop --yes', 'its key is worth nothing any more']],
    },
    async () => (await load()).revokeMachine,
  )
  addLeaf(
    machine,
    {
      usage: 'archive <machine>',
      summary: 'put a computer out of the lists; its history stays',
      options: yes,
      examples: [['baton machine archive old-laptop --yes', 'its runs can still be read']],
    },
    async () => (await load()).archiveMachine,
  )
}
