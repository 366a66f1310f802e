export type Series = { name: string; points: { x: number; y: number }[] }
export type Plot = { title: string; x: string; y: string; xScale: 'linear' | 'log'; series: Series[] }

const WIDTH = 640
const HEIGHT = 320
const LEFT = 64
const RIGHT = 24
const TOP = 56
const BOTTOM = 48
const COLORS = ['#2563eb', '#d97706', '#059669', '#9333ea']

/** A line chart as SVG text that reads on light and dark pages. */
export function drawPlot(plot: Plot): string {
  const points = plot.series.flatMap((one) => one.points)
  const xs = [...new Set(points.map((point) => point.x))].toSorted((a, b) => a - b)
  const top = niceCeiling(Math.max(...points.map((point) => point.y)))
  const scale = plot.xScale === 'log' ? (value: number) => Math.log10(value + 1) : (value: number) => value
  const first = scale(xs[0] ?? 0)
  const last = scale(xs.at(-1) ?? 1)
  const placeX = (value: number) =>
    LEFT + ((scale(value) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT)
  const placeY = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = placeY(top * part)
    return `<path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#8884"/>${label(LEFT - 8, y + 4, short(top * part), 'end')}`
  })
  const ticks = xs.map((x) => label(placeX(x), HEIGHT - BOTTOM + 18, short(x), 'middle'))
  const lines = plot.series.map((series, index) => {
    const color = COLORS[index % COLORS.length]
    const at = series.points.map(({ x, y }) => [placeX(x).toFixed(1), placeY(y).toFixed(1)] as const)
    const dots = at.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${color}"/>`).join('')
    const path = `<polyline points="${at.map((pair) => pair.join(',')).join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`
    const legendX = LEFT + index * 180
    return `${path}${dots}<rect x="${legendX}" y="34" width="10" height="10" fill="${color}"/>${label(legendX + 16, 43, series.name, 'start')}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(plot.title)}" font-family="system-ui, sans-serif" font-size="12" fill="#888">`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="600">${escapeXml(`${plot.title} (${plot.y})`)}</text>`,
    ...grid,
    ...ticks,
    label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.x, 'middle'),
    ...lines,
    '</svg>\n',
  ].join('\n')
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeXml(text)}</text>`
}

function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value || 1))
  return ([1, 2, 2.5, 5, 10].find((step) => step * unit >= value) ?? 10) * unit
}

function short(value: number): string {
  if (value >= 1_000_000) return `${trim(value / 1_000_000)}M`
  if (value >= 1_000) return `${trim(value / 1_000)}k`
  return trim(value)
}

const trim = (value: number) => String(Number(value.toPrecision(3)))

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
