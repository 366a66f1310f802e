import { createHash } from 'node:crypto'
import { RUN_EVENT_BYTES, type RunEventBody } from '@baton/protocol'
import { jsonText } from './json-fields.ts'
import { TEXT_BYTES } from './output-events.ts'
import { clipText, splitText } from './split-text.ts'

/** What is kept of each text inside a tool's input when the whole input does not fit. */
const INPUT_TEXT_BYTES = 4 * 1024
const TAIL_BYTES = 16 * 1024
const NAME_BYTES = 512
const MOST_LEVELS = 100

/**
 * The event as events that fit: long speech is split into several; the input and output of a tool are shortened, and a
 * `cut` event after them says how many bytes there were and their hash.
 */
export function fitEvent(event: RunEventBody): RunEventBody[] {
  if (fits(event)) return [event]
  switch (event.type) {
    case 'message':
    case 'thinking':
    case 'warning':
      return splitText(event.text, TEXT_BYTES).map((text) => ({ ...event, text }))
    case 'result':
      return shortened({ ...event, text: clipOneEvent(event.text) }, event.text, 'The result')
    case 'tool_finished': {
      const short = { ...event, id: clipText(event.id, NAME_BYTES), output: clipOneEvent(event.output) }
      return shortened(short, event.output, "A tool's output")
    }
    case 'tool_started': {
      const names = { id: clipText(event.id, NAME_BYTES), name: clipText(event.name, NAME_BYTES) }
      const text = jsonText(event.input)
      const input = clipInput(event.input)
      const short: RunEventBody = { ...event, ...names, input }
      return shortened(
        fits(short) ? short : { ...short, input: { cut: clipOneEvent(text) } },
        text,
        "A tool's input",
      )
    }
    case 'permission_denied':
      return [{ ...event, tool: clipText(event.tool, NAME_BYTES), detail: clipOneEvent(event.detail) }]
    case 'approval_asked':
      return [
        {
          ...event,
          summary: clipText(event.summary, TEXT_BYTES / 2),
          input: { cut: clipText(jsonText(event.input), INPUT_TEXT_BYTES) },
          inputCut: true,
        },
      ]
    case 'status':
      return [{ ...event, text: clipOneEvent(event.text) }]
    case 'plan':
      return [
        {
          ...event,
          entries: event.entries
            .slice(0, 100)
            .map((one) => ({ ...one, text: clipText(one.text, NAME_BYTES) })),
        },
      ]
    case 'session':
      return [{ ...event, sessionId: clipText(event.sessionId, NAME_BYTES), model: null }]
    case 'retry':
      return [{ ...event, reason: clipOneEvent(event.reason) }]
    default:
      throw new Error(`A ${event.type} event is longer than ${RUN_EVENT_BYTES} bytes.`)
  }
}

const clipOneEvent = (text: string) => clipText(text, TEXT_BYTES - 2 * NAME_BYTES, TAIL_BYTES)

function fits(event: RunEventBody): boolean {
  if (event.type === 'tool_started' && isDeep(event.input, MOST_LEVELS)) return false
  return Buffer.byteLength(JSON.stringify(event)) <= RUN_EVENT_BYTES - 64
}

/** JSON.parse reads any depth and JSON.stringify gives up at some: whoever reads the event later must not fail on it. */
function isDeep(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeep(inner, levels - 1))
}

function shortened(event: RunEventBody, whole: string, what: string): RunEventBody[] {
  return [
    event,
    {
      type: 'cut',
      stream: 'stdout',
      droppedBytes: Buffer.byteLength(whole) - Buffer.byteLength(keptOf(event)),
      sha256: createHash('sha256').update(whole).digest('hex'),
      why: `${what} is longer than one event; the hash is of the whole.`,
    },
  ]
}

function keptOf(event: RunEventBody): string {
  if (event.type === 'tool_started') return jsonText(event.input)
  if (event.type === 'tool_finished') return event.output
  return event.type === 'result' ? event.text : ''
}

/** The input with its long texts shortened; an input that is long in another way comes back as it is. */
function clipInput(input: unknown): unknown {
  if (typeof input === 'string') return clipText(input, INPUT_TEXT_BYTES)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      typeof value === 'string' ? clipText(value, INPUT_TEXT_BYTES) : value,
    ]),
  )
}
