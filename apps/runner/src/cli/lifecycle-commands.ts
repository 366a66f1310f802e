import type { Command } from 'commander'
import { addLeaf } from './leaf.ts'

/** What is measured, kept, taken out and brought in. */
export function addLifecycleCommands(program: Command): void {
  addLeaf(
    program,
    {
      usage: 'stages',
      summary: 'how long each step of a delivery takes: p50, p95, p99',
      options: [
        ['-m, --machine <name>', 'only on this machine'],
        ['-j, --job <key>', 'only of this job'],
        ['--days <days>', 'how far back', '7'],
      ],
      examples: [['baton stages --machine laptop', 'from the stored event to the end of its run']],
    },
    async () => (await import('./stages.ts')).showStages,
  )
  addLeaf(
    program,
    {
      usage: 'retention',
      summary: 'how long finished runs are kept; shows or changes it',
      options: [
        ['-j, --job <key>', 'of this job (default: of every job that has no numbers of its own)'],
        ['--runs <count>', 'keep this many of the newest; "default" with --job follows the organization'],
        ['--days <days>', 'keep none longer than this'],
      ],
      examples: [
        ['baton retention', 'what holds now'],
        ['baton retention --job review --runs 500 --days 90', 'for one job'],
      ],
    },
    async () => (await import('./retention.ts')).showRetention,
  )
}
