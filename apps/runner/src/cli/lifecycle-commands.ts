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
  addLeaf(
    program,
    {
      usage: 'export',
      summary: 'everything of the organization that has finished, as files that verify themselves',
      options: [['-o, --out <folder>', 'where to; the same folder again goes on after an interruption']],
      examples: [['baton export --out ./backup', 'without keys, tokens and secrets; for owners']],
    },
    async () => (await import('./export.ts')).exportOrganization,
  )
  addLeaf(
    program,
    {
      usage: 'import <folder>',
      summary: 'an export into an empty organization, after verifying all of it',
      options: [
        ['--verify-only', 'read and check everything, ask and change nothing'],
        ['--organization <slug>', 'refuse when the token belongs to another one'],
      ],
      examples: [
        ['baton import ./backup --verify-only', 'needs no relay; ends with 8 when a byte is not as it was'],
        ['BATON_URL=https://new.example.com baton import ./backup', 'ids stay; once more changes nothing'],
      ],
    },
    async () => (await import('./export.ts')).importOrganization,
  )
}
