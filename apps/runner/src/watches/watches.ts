import { readFile, rm } from 'node:fs/promises'
import { type WatchOrder, type WatchOrders, type WatchState, watchOrders } from '@baton/protocol'
import { createPollLoop, type Service } from '@baton/service'
import { replaceFile } from '../journal/open-record-file.ts'
import { indexFile, type OrderedWatch, type WatchPlace, watchOrder } from './watch-order.ts'

export type Watches = Service & {
  /** Of the list that is carried out now; the relay sends another one when this is not its own. */
  version(): string
  /** Replaces the list. It is on the disk before the version says so. */
  replace(orders: WatchOrders): void
  /** What has become of watches since the relay was told last; `told` marks them as known there. */
  untold(): (WatchState & { triggerId: WatchOrder['triggerId'] })[]
  told(states: readonly (WatchState & { triggerId: string })[]): void
}

const TRY_AGAIN_MS = 30_000
const NONE: WatchOrders = { version: '', watches: [] }

type Held = { order: WatchOrder; watch: OrderedWatch; state: WatchState; told: string | null }

/** The folders that this machine watches for the relay. They are on its disk, so it watches although no relay is there. */
export function createWatches(file: string, place: WatchPlace, onState: () => void): Watches {
  let orders = NONE
  const held = new Map<string, Held>()
  let turn = Promise.resolve()
  let stopped = false

  const inTurn = (work: () => Promise<void>) => {
    turn = turn.then(work).catch(place.onError)
    return turn
  }

  async function carryOut() {
    const wanted = new Map(orders.watches.map((order) => [order.triggerId as string, order]))
    for (const [id, { order, watch }] of held) {
      if (JSON.stringify(wanted.get(id)) === JSON.stringify(order)) continue
      held.delete(id)
      await watch.stop()
      if (place.indexFolder !== undefined && !wanted.has(id))
        await rm(indexFile(place.indexFolder, id), { force: true })
    }
    for (const order of wanted.values()) if (!held.has(order.triggerId)) await begin(order)
  }

  async function begin(order: WatchOrder) {
    if (stopped) return
    const watch = await watchOrder(order, place, (message) => fail(order, message))
    held.set(order.triggerId, { order, watch, state: watch.state, told: null })
    onState()
  }

  function fail(order: WatchOrder, message: string) {
    const one = held.get(order.triggerId)
    if (!one) return
    one.state = { state: 'failed', message: message.slice(0, 1_000) }
    onState()
  }

  /** A folder may be made, mounted or allowed later. */
  const again = createPollLoop({
    everyMs: TRY_AGAIN_MS,
    jitter: 0.1,
    onError: place.onError,
    run: () =>
      inTurn(async () => {
        for (const [id, { order, watch, state, told }] of held) {
          if (state.state !== 'failed' && state.state !== 'refused') continue
          await watch.stop()
          await begin(order)
          const now = held.get(id)
          if (now && markOf(now.state) === markOf(state)) now.told = told
        }
      }),
  })

  return {
    version: () => orders.version,
    replace(next) {
      void inTurn(async () => {
        const opened = await replaceFile(file, Buffer.from(JSON.stringify(next)))
        await opened.close()
        orders = next
        await carryOut()
      })
    },
    untold: () =>
      [...held.values()]
        .filter(({ state, told }) => told !== markOf(state))
        .map(({ order, state }) => ({ triggerId: order.triggerId, ...state })),
    told(states) {
      for (const state of states) {
        const one = held.get(state.triggerId)
        if (one) one.told = markOf(state)
      }
    },
    async start() {
      await inTurn(async () => {
        orders = await readOrders(file)
        await carryOut()
      })
      await again.start()
    },
    async stop() {
      stopped = true
      await again.stop()
      await inTurn(async () => {
        for (const { watch } of held.values()) await watch.stop()
        held.clear()
      })
    },
  }
}

const markOf = ({ state, message }: WatchState) => `${state} ${message ?? ''}`

/** A file that cannot be read is none: the relay sends the list again. */
async function readOrders(file: string): Promise<WatchOrders> {
  try {
    return watchOrders.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return NONE
  }
}
