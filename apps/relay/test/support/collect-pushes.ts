import type { PushedDelivery, RunnerPush } from '@baton/protocol'
import { eventually } from '@baton/testkit'
import { expect } from 'vitest'

/** Keeps what a session of a runner is sent; spread it into `subscribe`. */
export function collectPushes() {
  const pushes: RunnerPush[] = []
  const ends: unknown[] = []
  return {
    pushes,
    ends,
    onPush: (push: RunnerPush) => void pushes.push(push),
    onEnd: (error: unknown) => void ends.push(error),
    deliveries: (): PushedDelivery[] => pushes.flatMap((push) => push.deliveries),
    next: (count: number) =>
      eventually(() => {
        const all = pushes.flatMap((push) => push.deliveries)
        expect(all.length).toBeGreaterThanOrEqual(count)
        return all
      }),
  }
}
