import type { ServerResponse } from 'node:http'
import type { ToolDirective } from './directives.ts'
import type { Turn } from './turn.ts'

/** What the stand-in needs to know of a request, whatever API it came through. */
export interface Conversation {
  model: string
  /** The whole system prompt as one text. */
  system: string
  /** The user's prompts so far, oldest first, without what the CLI adds on its own. */
  prompts: string[]
  /** Tool results after the last prompt: the position in its script. */
  resultsSinceLastPrompt: number
  /** Tells conversations apart, so that `@fail 529 2` counts the tries of one run only. */
  key: string
}

/**
 * One answer being written in the words of one API. Blocks come in order; opening one closes the last. Nothing is sent
 * before the first block, so `fail` can still choose the HTTP status; later it becomes an error inside the stream.
 */
export interface Answer {
  open(kind: 'text' | 'thinking'): void
  add(text: string): void
  call(tool: ToolDirective): void
  fail(status: number, message: string): void
  end(): void
}

/** One model API. A new one is a new file with this shape, listed in `stand-in-model.ts`. */
export interface Dialect<Body = unknown> {
  /** True when a request belongs to this API. The path comes without query; any prefix is allowed before the API's own. */
  matches(method: string, path: string): boolean
  /** Answers requests that need no model (counting tokens, listing models). False when the model has to answer. */
  answerPlainly?(path: string, body: Body, response: ServerResponse): boolean
  read(body: Body): Conversation
  /** Opens the answer to one request; `turn` gives its token counts and stop reason. */
  answer(body: Body, response: ServerResponse, turn: Turn): Answer
}
