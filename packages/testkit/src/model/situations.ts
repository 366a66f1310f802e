import type { DrivenClaude } from '../agents/drive-claude.ts'

/** One run of the real CLI whose output is kept as a fixture of the same name. */
export interface Situation {
  name: string
  /** What it shows, for the index of the fixtures. */
  shows: string
  argv?: string[]
  env?: Record<string, string>
  /** One-way mode: the prompt, written to stdin at once. */
  prompt?: string
  /** Runs to have been made in the same home and folder before, by their prompt. */
  before?: string
  /** Two-way mode, or a one-way run to which something happens while it runs. */
  drive?: Drive
}

export type Drive = (claude: DrivenClaude) => Promise<void>

export const sessionId = '018f3c5e-7a10-4b6e-9c55-2f6f0d1c9a01'
export const otherSessionId = '018f3c5e-7a10-4b6e-9c55-2f6f0d1c9a02'

/** A prompt whose command no permission mode but a bypass lets pass without a question. */
export const outsideShell = '@shell touch /home/dev-other/note\n@say The command was handled.'

/** Makes the CLI pass on each piece of an answer as it comes. */
export const partial = ['--include-partial-messages']

/** The model has said "tick 3", and the CLI has passed it on. Needs `--include-partial-messages`. */
export async function thirdTick(claude: DrivenClaude): Promise<void> {
  await claude.next((event) => event.type === 'stream_event' && JSON.stringify(event).includes('tick 3'))
}
