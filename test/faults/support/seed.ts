/** Printed by every suite; `SEED=<n>` plays the same one again. */
export const seed: number = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

export function printSeed(suite: string): void {
  process.stderr.write(`${suite}: SEED=${seed}\n`)
}

/** A small repeatable generator (mulberry32): numbers in [0, 1). */
export function createRandom(from: number = seed): () => number {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
