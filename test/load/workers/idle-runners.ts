import { connectWireRunner } from '@baton/testkit'
import { serveCalls } from '../support/worker.ts'

/** Runners that are connected and have nothing to do. */
export type IdleRunners = { connect(input: { url: string; keys: string[] }): Promise<{ perSecond: number }> }

const AT_ONCE = 20

serveCalls({
  async connect({ url, keys }) {
    const startedAt = performance.now()
    const left = [...keys]
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let key = left.pop(); key; key = left.pop()) {
          const runner = await connectWireRunner(url, key)
          runner.subscribe({ slots: 5, onPush: () => {} })
        }
      }),
    )
    return { perSecond: keys.length / ((performance.now() - startedAt) / 1000) }
  },
} satisfies IdleRunners)
