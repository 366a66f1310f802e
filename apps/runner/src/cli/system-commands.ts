import type { Command } from 'commander'
import { addLeaf } from './leaf.ts'

export function addSystemCommands(program: Command): void {
  addLeaf(
    program,
    {
      usage: 'dev',
      summary: 'everything on this computer: database, relay, dashboard, runner',
      options: [
        ['--proof', 'prove the path once and end'],
        ['--no-open', 'open no browser'],
        ['--reset', 'begin with an empty database'],
        ['-y, --yes', 'do not ask'],
      ],
      examples: [
        ['baton dev', 'the same as "npm start"; Ctrl-C keeps the data'],
        ['baton dev --proof --json', 'the times of every stage, as one object'],
      ],
    },
    async () => (await import('../dev/dev.ts')).runDev,
  )
  addLeaf(
    program,
    {
      usage: 'up',
      summary: 'connect this machine to a relay and run its work',
      options: [
        ['--server <url>', "the relay's address; together with a key"],
        ['--key-stdin', 'read the machine key from stdin'],
        ['--key-file <file>', 'read the machine key from a file'],
        ['--foreground', 'stay until it is told to stop, as service managers want it; it logs to runner.log'],
        ['--takeover', 'take the place of another runner with the same key'],
      ],
      examples: [
        ['baton up --server https://relay.example.com --key-stdin < key.txt', 'the first time'],
        ['baton up', 'every other time'],
      ],
    },
    async () => (await import('./up.ts')).connectMachine,
  )
  addLeaf(
    program,
    {
      usage: 'down',
      summary: 'stop the runner of this machine',
      options: [
        ['--end-runs', 'end what runs, too; without it agents go on and the next runner takes them over'],
      ],
      examples: [['baton down', 'works without the relay, too']],
    },
    async () => (await import('./down.ts')).disconnectMachine,
  )
  addLeaf(
    program,
    {
      usage: 'status',
      summary: 'what is wrong first, then what is going on; exit 1 when something is wrong',
      examples: [['baton status', 'relay, this machine, what runs and what waits']],
    },
    async () => (await import('./status.ts')).showStatus,
  )
  addLeaf(
    program,
    {
      usage: 'doctor',
      summary: 'look at every part of the way; exit 1 when one is broken',
      examples: [['baton doctor', 'each line with what to do']],
    },
    async () => (await import('./doctor.ts')).examine,
  )
  addLeaf(
    program,
    {
      usage: 'open [thing]',
      summary: 'the dashboard, signed in, or the page of a run',
      options: [['--print', 'print the address and open nothing']],
      examples: [
        ['baton open --print', 'a one-time sign-in link, for a browser anywhere'],
        ['baton open run_019a2b', 'its page'],
      ],
    },
    async () => (await import('./open.ts')).openPage,
  )
}
