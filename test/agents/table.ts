/** `shown` stands in the table: how long it took, or what is wrong; `note` below it. */
export type Cell = { shown: string; note: string | null }

/** Cases down, runtimes across, and below it every note with its place. */
export function formatTable(cases: readonly string[], table: ReadonlyMap<string, ReadonlyMap<string, Cell>>) {
  const names = [...table.keys()]
  const lines = [
    ['', ...names],
    ...cases.map((one) => [one, ...names.map((name) => shownIn(table, name, one))]),
  ]
  const widths = ['', ...names].map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const drawn = lines.map((line) => line.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '))
  const notes = names.flatMap((name) =>
    [...(table.get(name) ?? [])].flatMap(([one, { shown, note }]) =>
      note === null ? [] : [`${name}, ${one}: ${shown}: ${note}`],
    ),
  )
  return [...drawn.map((line) => line.trimEnd()), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}

function shownIn(table: ReadonlyMap<string, ReadonlyMap<string, Cell>>, name: string, one: string): string {
  return table.get(name)?.get(one)?.shown ?? ''
}
