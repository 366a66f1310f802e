// `npm run test:agents [claude codex …] [-- --only hang,denial]`: each real CLI through relay and runner, as a table.
import { parseArgs } from 'node:util'
import { type AgentPlace, openAgentPlace } from './agent-place.ts'
import { CASES, type Case } from './cases.ts'
import { ROWS, type RuntimeRow } from './runtimes.ts'
import { type Cell, formatTable } from './table.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, help: { type: 'boolean' } },
})
if (values.help) {
  process.stdout.write(
    `npm run test:agents [-- <runtime…> --only <case,case>]\nruntimes: ${ROWS.map(({ name }) => name).join(', ')}\ncases: ${CASES.map(({ name }) => name).join('; ')}\n`,
  )
  process.exit(0)
}
const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name))
if (unknown.length > 0) {
  process.stderr.write(`No runtime ${unknown.join(', ')}: ${ROWS.map(({ name }) => name).join(', ')}.\n`)
  process.exit(2)
}
const rows = ROWS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const only = values.only?.split(',').map((word) => word.trim())
const cases = CASES.filter(({ name }) => !only || only.some((word) => name.includes(word)))

const installed = await Promise.all(rows.map(async (row) => ({ row, cli: await row.install() })))
const present = installed.flatMap(({ row, cli }) => ('path' in cli ? [{ row, path: cli.path }] : []))
const table = new Map<string, Map<string, Cell>>()
for (const { row, cli } of installed)
  table.set(row.name, new Map('missing' in cli ? cases.map(({ name }) => [name, missing(cli.missing)]) : []))

{
  await using place = await openAgentPlace(present)
  for (const { row } of present) {
    for (const one of cases) {
      const cell = await play(place, row, one)
      table.get(row.name)?.set(one.name, cell)
      process.stderr.write(`${row.name}, ${one.name}: ${cell.shown}${cell.note ? `: ${cell.note}` : ''}\n`)
    }
  }
}
process.stdout.write(
  `${formatTable(
    cases.map(({ name }) => name),
    table,
  )}\n`,
)
const cells = [...table.values()].flatMap((row) => [...row.values()])
process.exitCode = cells.some(({ shown }) => shown === 'FAILED') ? 1 : 0

async function play(place: AgentPlace, row: RuntimeRow, one: Case): Promise<Cell> {
  const gap = row.gaps?.[one.name]
  if (gap !== undefined) return { shown: 'gap', note: gap }
  const instead = row.instead?.[one.name] ?? null
  const startedAt = performance.now()
  try {
    await one.check(await place.openCase(row, one.name), instead?.errorKind ?? null)
  } catch (cause) {
    return { shown: 'FAILED', note: String(cause instanceof Error ? cause.message : cause) }
  }
  const took = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`
  return instead === null ? { shown: took, note: null } : { shown: `gap ${took}`, note: instead.says }
}

function missing(why: string): Cell {
  return { shown: 'skipped', note: why }
}
