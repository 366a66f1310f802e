import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { insertMachine } from '@baton/db'
import { toId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import { hashSecret } from '../../../apps/relay/src/secrets/hash-secret.ts'
import { type BenchRelay, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { residentKb } from '../support/cpu-of.ts'
import { type Figure, figure } from '../support/report.ts'
import { startWorker } from '../support/worker.ts'
import type { IdleRunners } from '../workers/idle-runners.ts'

const WARM_UP = 50
/** Longer than an idle HTTP connection is kept: what is left belongs to the WebSockets. */
const SETTLE_MS = 6_000

/** What one more connected runner costs a relay that has some already. */
export async function benchMemory(context: BenchContext): Promise<Figure[]> {
  const runners = Math.round(1_000 * context.scale)
  const collect = new URL('../support/collect-on-signal.ts', import.meta.url).href
  await using relay = await startBenchRelay(context, { NODE_OPTIONS: `--import=${collect}` })
  const keys = await addIdleMachines(context, relay, WARM_UP + runners)
  const settledKb = async () => {
    await wait(SETTLE_MS)
    for (let pass = 0; pass < 3; pass++) {
      process.kill(relay.relay.pid, 'SIGUSR2')
      await wait(300)
    }
    return residentKb(relay.relay.pid)
  }
  await using worker = await startWorker<IdleRunners>('workers/idle-runners.ts')
  await worker.call('connect', { url: relay.relay.url, keys: keys.slice(0, WARM_UP) })
  const beforeKb = await settledKb()
  const { perSecond } = await worker.call('connect', { url: relay.relay.url, keys: keys.slice(WARM_UP) })
  const afterKb = await settledKb()
  return [
    figure('memory', 'relay memory per idle runner', 'KB', [(afterKb - beforeKb) / runners], { atMost: 40 }),
    figure('memory', 'relay memory before', 'MB', [beforeKb / 1024]),
    figure('memory', 'runners connected per second', '/s', [perSecond]),
  ]
}

/** Machines without agents, made without the API; answers their keys. */
export async function addIdleMachines(
  context: BenchContext,
  relay: BenchRelay,
  count: number,
): Promise<string[]> {
  const { organization } = await relay.baton.raw.auth.me.query()
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const key = `sk_machine_${randomBytes(32).toString('base64url')}`
      const name = `idle-${index}-${randomBytes(4).toString('hex')}`
      const machine = { id: toId('machine', uuidv7()), name, keyHash: hashSecret(key) }
      await insertMachine(context.connection.db, { ...machine, organizationId: organization.id })
      return key
    }),
  )
}
