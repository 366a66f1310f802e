export type Bar = { name: string; value: number; text: string }

type BarChartProps = {
  label: string
  bars: readonly Bar[]
  /** The unit over the numbers of the table twin. */
  unit: string
}

const HEIGHT = 120
const STEP = 24

/** Bars of one colour from a common ground, with their table for those who read better than they look. */
export function BarChart({ label, bars, unit }: BarChartProps) {
  const most = Math.max(...bars.map(({ value }) => value), 0)
  const width = Math.max(1, bars.length) * STEP
  const top = bars.find(({ value }) => value === most)
  return (
    <figure className="space-y-1">
      <figcaption className="flex flex-wrap justify-between gap-2 text-[13px] text-soft">
        <span>{label}</span>
        {top && most > 0 && <span>highest: {top.text}</span>}
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden
        className="h-32 w-full rounded-lg bg-sunk"
      >
        {bars.map(({ name, value, text }, index) => {
          const height = most === 0 ? 0 : Math.max(value > 0 ? 2 : 0, (value / most) * (HEIGHT - 8))
          return (
            <rect
              key={name}
              x={index * STEP + 3}
              y={HEIGHT - height}
              width={STEP - 6}
              height={height}
              rx={2}
              className="fill-accent"
            >
              <title>{`${name}: ${text}`}</title>
            </rect>
          )
        })}
      </svg>
      <div className="flex justify-between text-xs text-soft" aria-hidden>
        <span>{bars[0]?.name}</span>
        <span>{bars.at(-1)?.name}</span>
      </div>
      <details className="text-[13px]">
        <summary className="inline-flex min-h-6 items-center font-medium text-accent">As a table</summary>
        <div className="max-h-64 overflow-auto">
          <table className="w-full tabular-nums">
            <caption className="sr-only">{label}</caption>
            <thead>
              <tr className="text-left text-soft">
                <th className="font-medium">Day</th>
                <th className="text-right font-medium">{unit}</th>
              </tr>
            </thead>
            <tbody>
              {bars.map(({ name, text }) => (
                <tr key={name} className="border-t border-line">
                  <th scope="row" className="py-0.5 text-left font-normal">
                    {name}
                  </th>
                  <td className="text-right">{text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}
