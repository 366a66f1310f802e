import { type Directive, isToolDirective, type ToolDirective } from './directives.ts'

/** What the model does in one request: some steps, then perhaps one tool call that ends the turn. */
export interface Turn {
  steps: Exclude<Directive, ToolDirective>[]
  call?: ToolDirective
  usage: { inputTokens: number; outputTokens: number }
  stopReason?: string
}

/**
 * The turn after so many tool results. It depends on the conversation alone, so retries, resumed sessions and parallel
 * runs need no book-keeping.
 */
export function nextTurn(script: Directive[], results: number): Turn {
  const rest = script.slice(indexAfterTool(script, results))
  const callAt = rest.findIndex(isToolDirective)
  const call = rest.find(isToolDirective)
  const steps = (callAt < 0 ? rest : rest.slice(0, callAt)).filter((step) => !isToolDirective(step))
  const usage = script.findLast((step) => step.kind === 'usage')
  const stop = script.findLast((step) => step.kind === 'stop')
  return {
    steps,
    usage: { inputTokens: usage?.inputTokens ?? 100, outputTokens: usage?.outputTokens ?? 10 },
    ...(call && { call }),
    ...(stop && !call && { stopReason: stop.reason }),
  }
}

/** Where the script goes on after `results` tools; the end when it has fewer. */
function indexAfterTool(script: Directive[], results: number): number {
  let passed = 0
  for (const [index, step] of script.entries()) {
    if (passed === results) return index
    if (isToolDirective(step)) passed += 1
  }
  return script.length
}
