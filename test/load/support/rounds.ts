/**
 * Runs every contestant once a round, each round beginning with another one, and answers what each measured, by round.
 * One after the other: two at once would measure each other.
 */
export async function runRounds<Name extends string, Result>(
  rounds: number,
  contestants: Record<Name, (round: number) => Promise<Result>>,
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(contestants) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Result[]>
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] as Name
      results[name].push(await contestants[name](round))
    }
  }
  return results
}
