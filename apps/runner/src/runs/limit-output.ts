import { createHash, type Hash } from 'node:crypto'
import { OUTPUT_HEAD_BYTES, OUTPUT_TAIL_BYTES, type RunEventBody } from '@baton/protocol'
import type { ReaderPosition } from '../agents/runtime.ts'

/** How much of a run's output is kept. Tests make it small. */
export type OutputBounds = { headBytes: number; tailBytes: number }
export const DEFAULT_OUTPUT_BOUNDS: OutputBounds = {
  headBytes: OUTPUT_HEAD_BYTES,
  tailBytes: OUTPUT_TAIL_BYTES,
}

/** While output is dropped, how far it got is written down this often, so that the agent's segments can be deleted. */
const SAVE_EVERY_BYTES = 4 * 1024 * 1024

type Dropped = { bytes: number; sha256: string; streams: ('stdout' | 'stderr')[] }
/** Plain JSON. `dropped` has one entry for each runner that dropped some: a hash cannot be carried over a restart. */
export type LimitState = { keptBytes: number; dropped: Dropped[] }
export type Storable = { events: RunEventBody[]; position: ReaderPosition; limit: LimitState }

export type OutputLimit = {
  /** Takes what one read returned and the position after it. Returns what to store now, or null for nothing. */
  add(events: RunEventBody[], position: ReaderPosition): Storable | null
  /** What is still held back: a `cut` for each stretch that was left out, then the tail. Null when all was stored. */
  finish(): Storable | null
}

/** Events that say what the run is, not what it printed: they are never left out. */
const ALWAYS_KEPT: ReadonlySet<RunEventBody['type']> = new Set([
  'started',
  'session',
  'consumed',
  'permission_denied',
  'usage',
  'cut',
  'adopted',
  'killed',
  'result',
  'finished',
])

/**
 * Keeps the first bytes of a run's output and its last; what lies between is counted and hashed. The position that goes
 * with what is stored never lies behind the tail, which only memory holds: a runner that takes over reads it again.
 */
export function createOutputLimit(bounds: OutputBounds, from: LimitState | null): OutputLimit {
  type Group = { events: RunEventBody[]; bytes: number; position: ReaderPosition }
  const tail: Group[] = []
  const earlier = from?.dropped ?? []
  const hash = createHash('sha256')
  const own: { bytes: number; streams: Set<'stdout' | 'stderr'> } = { bytes: 0, streams: new Set() }
  let keptBytes = from?.keptBytes ?? 0
  let over = earlier.length > 0
  let tailBytes = 0
  let unsaved = 0
  let base: ReaderPosition | null = null

  function state(): LimitState {
    if (own.bytes === 0) return { keptBytes, dropped: earlier }
    const sha256 = hash.copy().digest('hex')
    return { keptBytes, dropped: [...earlier, { bytes: own.bytes, sha256, streams: [...own.streams] }] }
  }

  function drop(event: RunEventBody) {
    own.bytes += hashInto(hash, event)
    if (event.type === 'output') own.streams.add(event.stream)
    else own.streams.add('stdout')
  }

  function evict(): RunEventBody[] {
    const kept: RunEventBody[] = []
    while (tailBytes > bounds.tailBytes && tail.length > 1) {
      const group = tail.shift() as Group
      for (const event of group.events) {
        if (ALWAYS_KEPT.has(event.type)) kept.push(event)
        else drop(event)
      }
      tailBytes -= group.bytes
      unsaved += group.bytes
      base = group.position
    }
    return kept
  }

  return {
    add(events, position) {
      const bytes = events.reduce((sum, event) => sum + sizeOf(event), 0)
      if (!over && keptBytes + bytes <= bounds.headBytes) {
        keptBytes += bytes
        return { events, position, limit: state() }
      }
      over = true
      tail.push({ events, bytes, position })
      tailBytes += bytes
      const kept = evict()
      if (base === null || (kept.length === 0 && unsaved < SAVE_EVERY_BYTES)) return null
      unsaved = 0
      return { events: kept, position: base, limit: state() }
    },
    finish() {
      const last = tail.at(-1)
      const limit = state()
      if (!last && limit.dropped.length === 0) return null
      const events = [
        ...limit.dropped.map((one) => cutEvent(one, bounds)),
        ...tail.flatMap((group) => group.events),
      ]
      const position = last?.position ?? base
      tail.length = 0
      return position ? { events, position, limit: { keptBytes, dropped: [] } } : null
    },
  }
}

function cutEvent(dropped: Dropped, bounds: OutputBounds): RunEventBody {
  const [only, second] = dropped.streams
  return {
    type: 'cut',
    stream: only !== undefined && second === undefined ? only : 'both',
    droppedBytes: dropped.bytes,
    sha256: dropped.sha256,
    why: `The run printed more than is kept: its first ${inWords(bounds.headBytes)} and its last ${inWords(bounds.tailBytes)}.`,
  }
}

function inWords(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${Math.round(bytes / 1024 / 1024)} MiB` : `${Math.round(bytes / 1024)} KiB`
}

function sizeOf(event: RunEventBody): number {
  if (event.type !== 'output') return Buffer.byteLength(JSON.stringify(event))
  return event.text !== undefined
    ? Buffer.byteLength(event.text)
    : Buffer.byteLength(event.base64 ?? '', 'base64')
}

/** Output is hashed as the bytes that the agent wrote, anything else as its encoded event. */
function hashInto(hash: Hash, event: RunEventBody): number {
  const bytes =
    event.type === 'output'
      ? Buffer.from(event.text ?? event.base64 ?? '', event.text !== undefined ? 'utf8' : 'base64')
      : Buffer.from(JSON.stringify(event))
  hash.update(bytes)
  return bytes.length
}
