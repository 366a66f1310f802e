import { type Spread, spreadOf } from './statistics.ts'

/** One line of the report. `target` is DESIGN section 7; a figure without one is there to compare with. */
export type Figure = Spread & {
  bench: string
  name: string
  unit: string
  target: { atLeast?: number; atMost?: number } | null
  met: boolean | null
}

export function figure(
  bench: string,
  name: string,
  unit: string,
  values: number[],
  target: Figure['target'] = null,
): Figure {
  const spread = spreadOf(values)
  const met =
    target === null
      ? null
      : spread.median >= (target.atLeast ?? Number.NEGATIVE_INFINITY) &&
        spread.median <= (target.atMost ?? Number.POSITIVE_INFINITY)
  return { bench, name, unit, ...spread, target, met }
}

export function formatTable(figures: Figure[]): string {
  const rows = figures.map((one) => [
    one.bench,
    one.name,
    `${show(one.median)} ${one.unit}`.trim(),
    one.min === one.max ? '' : `${show(one.min)} – ${show(one.max)}`,
    one.target ? showTarget(one.target) : '',
    one.met === null ? '' : one.met ? 'met' : 'MISSED',
  ])
  const all = [['', 'what', 'median', 'min – max', 'target', ''], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          column === 2 || column === 3
            ? cell.padStart(widths[column] ?? 0)
            : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const showTarget = ({ atLeast, atMost }: NonNullable<Figure['target']>) =>
  atLeast !== undefined ? `≥ ${show(atLeast)}` : `≤ ${show(atMost ?? 0)}`

function show(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}
