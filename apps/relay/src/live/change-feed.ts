import type { Change, OrganizationId } from '@baton/protocol'
import type { Hints } from './hints.ts'

export type ChangeFeed = {
  /** Batches of hints about an organization's rows, at most ten a second. A first empty batch says that it listens. */
  watch(organizationId: OrganizationId, signal: AbortSignal): AsyncGenerator<Change[]>
  /** Tells everybody who watches this organization, on all relays. */
  tell(organizationId: OrganizationId, kind: Change['kind'], id: string): void
}

const GATHER_MS = 100
const MAX_WAITING = 1_000

export function createChangeFeed(hints: Hints): ChangeFeed {
  return {
    tell: (organizationId, kind, id) => hints.send('change', `${organizationId} ${kind} ${id}`),
    async *watch(organizationId, signal) {
      let waiting = new Map<string, Change>()
      let changed = Promise.withResolvers<void>()
      const stopHearing = [
        hints.on('change', (key) => {
          const [organization, kind, id] = key.split(' ')
          if (organization !== organizationId || !kind || !id || waiting.size >= MAX_WAITING) return
          waiting.set(key, { kind: kind as Change['kind'], id })
          changed.resolve()
        }),
        hints.onResync(() => {
          waiting.set('resync', { kind: 'run', id: '*' })
          changed.resolve()
        }),
      ]
      const onAbort = () => changed.resolve()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        yield []
        while (!signal.aborted) {
          await changed.promise
          if (signal.aborted) return
          await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
          changed = Promise.withResolvers<void>()
          const batch = [...waiting.values()]
          waiting = new Map()
          if (batch.length > 0) yield batch
        }
      } finally {
        for (const stop of stopHearing) stop()
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}
