import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addTokenCommands(program: Command): void {
  const token = addGroup(program, 'token', 'API tokens of yours')
  const load = () => import('./token.ts')
  addLeaf(
    token,
    {
      usage: 'create <name>',
      summary: 'make a token and show it once',
      options: [
        ['--scopes <list>', 'what it may do, of read, run, write and admin (default: all that you may)'],
      ],
      examples: [
        ['baton token create ci --scopes read,run', 'prints bt_… for BATON_TOKEN'],
        ['baton token create me', 'one that may do all that you may'],
      ],
    },
    async () => (await load()).createToken,
  )
  addLeaf(
    token,
    {
      usage: 'list',
      summary: 'your tokens, without their secrets',
      examples: [['baton token list --json', 'for scripts']],
    },
    async () => (await load()).listTokens,
  )
  addLeaf(
    token,
    {
      usage: 'revoke <id>',
      summary: 'end a token at once',
      options: [['-y, --yes', 'do not ask']],
      examples: [['baton token revoke tok_019… --yes', 'whoever uses it is refused from now on']],
    },
    async () => (await load()).revokeToken,
  )
}
