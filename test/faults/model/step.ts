import { isFinishedDelivery } from '@baton/protocol'
import fc from 'fast-check'
import { checkFencing, checkInvariants } from './invariants.ts'
import { type Held, readSnapshot, type World } from './world.ts'

export type Step = fc.AsyncCommand<World, World, false>
/** Which of many, whatever their number turns out to be. */
export const which = fc.nat(999)
export const pick = <T>(all: readonly T[], index: number): T => all[index % all.length] as T

/**
 * A step does one thing to the database as the relay would, then everything is checked. `lease` names the lease under
 * which it wrote: nothing else may have changed.
 */
export function step(
  name: string,
  possible: (world: World) => boolean,
  run: (world: World) => Promise<Held | null>,
): Step {
  return {
    check: possible,
    toString: () => name,
    async run(_, world) {
      const before = world.snapshot
      const held = await run(world)
      const after = await readSnapshot(world)
      world.snapshot = after
      if (
        JSON.stringify([...before.deliveries, ...before.runs]) !==
        JSON.stringify([...after.deliveries, ...after.runs])
      ) {
        const key = name.split(' ')[0] ?? name
        world.seen.set(key, (world.seen.get(key) ?? 0) + 1)
      }
      try {
        if (held) checkFencing(held.lease, before, after, name.startsWith('settle'))
        checkInvariants(world, before, after, STATEMENTS_OF[name.split(' ')[0] ?? name] ?? 1)
      } catch (error) {
        throw new Error(`After ${name}: ${(error as Error).message}`)
      }
    },
  }
}

/** Steps of several statements, one after the other: a row may move once with each. */
const STATEMENTS_OF: Record<string, number> = { sweep: 3, sleep: 6 }

export const always = () => true
export const hasHeld = ({ held }: World) => held.length > 0
export const hasDelivery = ({ snapshot }: World) => snapshot.deliveries.size > 0

/** A lease that is still the delivery's newest and alive, or else an older one. */
export function chooseHeld({ held, snapshot }: World, index: number, current: boolean): Held {
  const isCurrent = ({ lease }: Held) => {
    const row = snapshot.deliveries.get(lease.deliveryId)
    return row?.fence === lease.fence && !isFinishedDelivery(row.state)
  }
  const wanted = held.filter((one) => isCurrent(one) === current)
  return pick(wanted.length > 0 ? wanted : held, index)
}

export const underLease = (name: string, run: (world: World, held: Held) => Promise<void>) =>
  fc.tuple(which, fc.constantFrom(true, true, false)).map(([index, current]) =>
    step(`${name} ${index}${current ? '' : ' of any lease'}`, hasHeld, async (world) => {
      const held = chooseHeld(world, index, current)
      await run(world, held)
      return held
    }),
  )
