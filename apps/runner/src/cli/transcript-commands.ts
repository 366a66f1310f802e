import type { Command } from 'commander'
import { addLeaf } from './leaf.ts'

/** `runs export` and `runs verify`. */
export function addTranscriptCommands(runs: Command): void {
  const load = () => import('./transcripts.ts')
  addLeaf(
    runs,
    {
      usage: 'export <run>',
      summary: 'its transcript with a certificate, as NDJSON',
      options: [['-o, --output <file>', 'where to (default: stdout)']],
      examples: [
        ['baton runs export run_019a2b -o run.ndjson', 'every event byte for byte, then its certificate'],
      ],
    },
    async () => (await load()).exportRun,
  )
  addLeaf(
    runs,
    {
      usage: 'verify <run|file>',
      summary: 'check that a transcript is complete and unchanged',
      examples: [
        ['baton runs verify run.ndjson', 'needs no relay; ends with 8 and the first bad line when it is not'],
        ['baton runs verify run_019a2b', 'the same for what the relay has now'],
      ],
    },
    async () => (await load()).verifyRun,
  )
}
