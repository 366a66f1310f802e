import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

const WEB = ['--url <address>', 'of GitHub Enterprise Server (default: https://github.com)'] as const

export function addIntegrationCommands(program: Command): void {
  const integration = addGroup(program, 'integration', 'connections to other systems')
  const github = addGroup(
    integration,
    'github',
    'GitHub Apps, through which GitHub fires jobs and is told of runs',
  )
  const load = () => import('./integration.ts')
  addLeaf(
    github,
    {
      usage: 'setup',
      summary: 'connect a GitHub App: make one in the browser, or give one that exists',
      options: [
        WEB,
        ['--owner <organization>', 'the organization on GitHub that will own it (default: you)'],
        ['--name <name>', 'its name on GitHub, which must be free there'],
        ['--no-wait', 'print the page to open and do not wait'],
        ['--app-id <number>', 'of an App that exists; then the two files are needed, too'],
        ['--private-key-file <file>', "the App's .pem file"],
        ['--webhook-secret-file <file>', 'a file with its webhook secret, at least 24 characters'],
      ],
      examples: [
        [
          'baton integration github setup --owner acme',
          'prints a page to open; waits until the App is connected',
        ],
        [
          'baton integration github setup --app-id 12345 --private-key-file app.pem --webhook-secret-file secret.txt',
          'an App that was made by hand',
        ],
      ],
    },
    async () => (await load()).setUpGithub,
  )
  addLeaf(
    github,
    {
      usage: 'list',
      summary: 'the Apps, when something last arrived, and what was missed',
      examples: [['baton integration github list --json', 'for scripts']],
    },
    async () => (await load()).listGithub,
  )
  addLeaf(
    github,
    {
      usage: 'repos [app]',
      summary: 'the installations of an App and the repositories that it may see',
      examples: [['baton integration github repos', 'asked of GitHub now']],
    },
    async () => (await load()).listRepositories,
  )
  addLeaf(
    github,
    {
      usage: 'doctor [app]',
      summary: 'key, permissions, events, address and missed deliveries, one line each',
      examples: [['baton integration github doctor', 'exit code 1 when something is wrong']],
    },
    async () => (await load()).examineGithub,
  )
  addLeaf(
    github,
    {
      usage: 'redeliver [app]',
      summary: 'look for missed deliveries now and ask GitHub to send them again',
      examples: [['baton integration github redeliver', 'happens by itself every ten minutes']],
    },
    async () => (await load()).redeliverGithub,
  )
  addLeaf(
    github,
    {
      usage: 'remove <app>',
      summary: 'forget an App and its keys; on GitHub it stays until it is deleted there',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton integration github remove baton-acme --yes', 'its events stay in the inbox']],
    },
    async () => (await load()).removeGithub,
  )
}
