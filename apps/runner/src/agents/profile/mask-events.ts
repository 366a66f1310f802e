import type { RunEventBody } from '@baton/protocol'
import { fitEvent } from '../fit-event.ts'
import { type SecretMask, shown } from './secret-mask.ts'

/** Text that people read as one although it comes in several events. */
type Flowing = Extract<RunEventBody, { type: 'output' | 'message' | 'thinking' }>

/**
 * The events without any value, also where one begins in an event and ends in a later one. With `isLast` nothing follows,
 * so that what looks like the longer part of a value at the end is taken out as well.
 */
export function maskEvents(events: RunEventBody[], mask: SecretMask, isLast: boolean): RunEventBody[] {
  const masked = [...events]
  for (const places of channelsOf(events).values()) {
    const parts = places.map((place) => bytesOf(events[place] as Flowing))
    const joined = parts.map((part) => part.toString('latin1')).join('')
    const found = mask.find(joined)
    const open = isLast ? mask.openEnd(joined) : 0
    if (open >= 8) found.push({ start: joined.length - open, end: joined.length, name: 'SECRET' })
    if (found.length === 0) continue
    let offset = 0
    for (const [index, place] of places.entries()) {
      const length = parts[index]?.length ?? 0
      masked[place] = withBytes(events[place] as Flowing, cutOut(joined, offset, offset + length, found))
      offset += length
    }
  }
  return masked.flatMap((event) => ('base64' in event && event.base64 ? [event] : fitEvent(mask.deep(event))))
}

/** Whether a value may have begun at the end of these events and go on in the next ones. */
export function isOpen(events: RunEventBody[], mask: SecretMask): boolean {
  return [...channelsOf(events).values()].some((places) => {
    const joined = places.map((place) => bytesOf(events[place] as Flowing).toString('latin1')).join('')
    return mask.openEnd(joined) > 0
  })
}

function channelsOf(events: RunEventBody[]): Map<string, number[]> {
  const channels = new Map<string, number[]>()
  for (const [place, event] of events.entries()) {
    const channel = channelOf(event)
    if (channel === null) continue
    const places = channels.get(channel)
    if (places) places.push(place)
    else channels.set(channel, [place])
  }
  return channels
}

function channelOf(event: RunEventBody): string | null {
  if (event.type === 'output') return event.stream
  if (event.type === 'message') return event.role
  return event.type === 'thinking' ? 'thinking' : null
}

function bytesOf(event: Flowing): Buffer {
  if (event.type !== 'output') return Buffer.from(event.text)
  return event.base64 === undefined ? Buffer.from(event.text ?? '') : Buffer.from(event.base64, 'base64')
}

function withBytes(event: Flowing, bytes: Buffer): Flowing {
  if (event.type === 'output' && event.base64 !== undefined)
    return { ...event, base64: bytes.toString('base64') }
  return { ...event, text: bytes.toString('utf8') }
}

/** The part of a text between two offsets without what was found; the mark stands where a value begins. */
function cutOut(
  joined: string,
  from: number,
  to: number,
  found: { start: number; end: number; name: string }[],
): Buffer {
  let kept = ''
  let at = from
  for (const { start, end, name } of found) {
    if (end <= from || start >= to) continue
    kept += joined.slice(at, Math.max(at, start))
    if (start >= from) kept += Buffer.from(shown(name)).toString('latin1')
    at = Math.min(to, Math.max(at, end))
  }
  return Buffer.from(kept + joined.slice(at, to), 'latin1')
}
