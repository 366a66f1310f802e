/**
 * What a prompt may tell the stand-in model to do, one directive a line. A prompt is often a job template rendered around
 * a payload, so every line that is not a directive is ignored.
 *
 *   @say text               answer with a block of text
 *   @think text             think aloud in a thinking block
 *   @slow 20x100ms text     stream "text 1", "text 2", … as 20 pieces of one block, 100 ms apart
 *   @shell command          call the agent's shell tool
 *   @write path <<< content call the agent's file writing tool; \n in the content is a line break, and one is added at the end
 *   @tool name {json}       call any tool by name (MCP tools too) with this input
 *   @wait ms                pause
 *   @fail status [times]    answer with this HTTP status, for ever or only so many times
 *   @cut [times]            drop the connection, for ever or only so many times
 *   @hang                   stay silent until the client goes away
 *   @usage in out           report these token counts in every answer to this prompt
 *   @stop reason            report this stop reason in the last answer
 */
export type Directive =
  | { kind: 'say' | 'think'; text: string }
  | { kind: 'slow'; times: number; everyMs: number; text: string }
  | ToolDirective
  | { kind: 'wait'; ms: number }
  | { kind: 'fail'; status: number; times: number }
  | { kind: 'cut'; times: number }
  | { kind: 'hang' }
  | { kind: 'usage'; inputTokens: number; outputTokens: number }
  | { kind: 'stop'; reason: string }

/** The directives that end the model's turn: the agent carries out a tool and comes back with its result. */
export type ToolDirective =
  | { kind: 'shell'; command: string }
  | { kind: 'write'; path: string; content: string }
  | { kind: 'tool'; name: string; input: Record<string, unknown> }

/** Reads the directives out of a prompt. Throws on a known directive whose arguments cannot be read. */
export function parseDirectives(prompt: string): Directive[] {
  return prompt.split(/\r?\n/).flatMap((line) => {
    const [, word, rest] = /^\s*@([a-z]+)(?:[ \t]+(.*))?$/.exec(line) ?? []
    const read =
      word !== undefined && Object.hasOwn(readers, word) ? readers[word as Directive['kind']] : undefined
    if (!read) return []
    const directive = read(rest?.trimEnd() ?? '')
    if (!directive) throw new Error(`The stand-in model cannot read the directive "${line.trim()}".`)
    return [directive]
  })
}

export function isToolDirective(directive: Directive): directive is ToolDirective {
  return directive.kind === 'shell' || directive.kind === 'write' || directive.kind === 'tool'
}

const readers: Record<Directive['kind'], (rest: string) => Directive | undefined> = {
  say: (text) => ({ kind: 'say', text }),
  think: (text) => ({ kind: 'think', text }),
  shell: (command) => (command ? { kind: 'shell', command } : undefined),
  hang: () => ({ kind: 'hang' }),
  slow: (rest) => {
    const [, times, everyMs, text] = /^(\d+)x(\d+)ms\s+(.+)$/.exec(rest) ?? []
    return text ? { kind: 'slow', times: Number(times), everyMs: Number(everyMs), text } : undefined
  },
  write: (rest) => {
    const [, path, content] = /^(\S+)\s+<<<\s?(.*)$/.exec(rest) ?? []
    return path ? { kind: 'write', path, content: `${content?.replaceAll('\\n', '\n')}\n` } : undefined
  },
  tool: (rest) => {
    const [, name, json] = /^(\S+)\s*(\{.*\})?$/.exec(rest) ?? []
    return name ? { kind: 'tool', name, input: JSON.parse(json ?? '{}') } : undefined
  },
  wait: (rest) => (/^\d+$/.test(rest) ? { kind: 'wait', ms: Number(rest) } : undefined),
  fail: (rest) => {
    const [, status, times] = /^(\d{3})(?:\s+(\d+))?$/.exec(rest) ?? []
    return status
      ? { kind: 'fail', status: Number(status), times: times ? Number(times) : Infinity }
      : undefined
  },
  cut: (rest) =>
    /^\d*$/.test(rest) ? { kind: 'cut', times: rest ? Number(rest) : Number.POSITIVE_INFINITY } : undefined,
  usage: (rest) => {
    const [, input, output] = /^(\d+)\s+(\d+)$/.exec(rest) ?? []
    return input ? { kind: 'usage', inputTokens: Number(input), outputTokens: Number(output) } : undefined
  },
  stop: (reason) => (reason ? { kind: 'stop', reason } : undefined),
}
