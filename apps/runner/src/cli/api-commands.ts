import type { Command } from 'commander'
import { addLeaf } from './leaf.ts'

/** For what no other command does: any procedure by its name, and the description of the REST API. */
export function addApiCommands(program: Command): void {
  addLeaf(
    program,
    {
      usage: 'api <procedure>',
      summary: 'call any procedure of the relay and print its answer as JSON',
      options: [
        ['-f, --field <key=value...>', 'a field of its input; a value that is JSON is read as JSON'],
        ['--input <file>', 'the whole input as JSON, from a file or "-"; for secrets, too'],
      ],
      examples: [
        ['baton api runs.list -f \'status=["failed"]\' -f limit=5', 'the last five failures'],
        ['baton api jobs.disable -f id=nightly', 'what /docs/api lists, by the name of its procedure'],
      ],
    },
    async () => (await import('./api.ts')).callProcedure,
  )
  addLeaf(
    program,
    {
      usage: 'openapi',
      summary: 'print the OpenAPI 3.1 description of the REST API',
      examples: [['baton openapi > openapi.json', 'for generators of clients; needs no token']],
    },
    async () => (await import('./api.ts')).printOpenApi,
  )
}
