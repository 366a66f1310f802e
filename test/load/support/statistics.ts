export type Spread = { median: number; min: number; max: number }

export function spreadOf(values: number[]): Spread {
  return { median: percentile(values, 50), min: Math.min(...values), max: Math.max(...values) }
}

/** By nearest rank; the 50th of an even number of values is the mean of the middle two. */
export function percentile(values: number[], rank: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (rank / 100) * (sorted.length - 1)
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** Round by round, so that what slows the machine for a while slows both sides of a ratio. */
export function ratios(values: number[], peers: number[]): number[] {
  return values.map((value, round) => value / (peers[round] ?? Number.NaN))
}
