import type { Usage } from '@baton/protocol'
import { countOf, type Fields, fieldsOf, textOf } from './json-fields.ts'

/**
 * The tokens and money of one `result` event, added to those of earlier results of the same run. `inputTokens` are all
 * that went in; `cachedTokens` is the part of them that was read from the cache.
 *
 * `model_usage_since_last_result` counts this result with its subagents. Where an older CLI does not have it, `usage`
 * counts the main conversation only and the money is not known: `total_cost_usd` is the sum over the whole session,
 * earlier runs included.
 */
export function addUsage(before: Usage | null, result: Fields, model: string | null): Usage {
  const perModel = fieldsOf(result.model_usage_since_last_result)
  const hasModels = result.model_usage_since_last_result !== undefined
  const parts = hasModels ? Object.values(perModel).map(fromModel) : [fromUsage(fieldsOf(result.usage))]
  return parts.reduce<Usage>(
    (sum, part) => ({
      inputTokens: sum.inputTokens + part.inputTokens,
      outputTokens: sum.outputTokens + part.outputTokens,
      cachedTokens: sum.cachedTokens + part.cachedTokens,
      costUsd: sum.costUsd === null || part.costUsd === null ? null : sum.costUsd + part.costUsd,
      model: sum.model ?? part.model,
    }),
    before ?? {
      inputTokens: 0,
      outputTokens: 0,
      cachedTokens: 0,
      costUsd: 0,
      model: model ?? Object.keys(perModel)[0] ?? null,
    },
  )
}

/** What model calls used that no result has summed up yet; `id` is the newest one's, which is told several times. */
export type Calls = { input: number; output: number; id: string | null; idInput: number; idOutput: number }
export const NO_CALLS: Calls = { input: 0, output: 0, id: null, idInput: 0, idOutput: 0 }

/**
 * Counts the model call that an `assistant` event belongs to. Claude Code's own have not their output in there, so that
 * only what went in counts; those of the chat agent are `output_counts`.
 */
export function noteCall(calls: Calls, message: Fields): Calls {
  const id = textOf(message.id)
  if (id === null) return calls
  const { input, output, idInput, idOutput } = { ...NO_CALLS, ...calls }
  const isSame = id === calls.id
  const before = isSame ? { input, output } : { input: input + idInput, output: output + idOutput }
  const usage = fieldsOf(message.usage)
  const used = fromUsage(usage)
  return {
    ...before,
    id,
    idInput: Math.max(isSame ? idInput : 0, used.inputTokens),
    idOutput: Math.max(isSame ? idOutput : 0, usage.output_counts === true ? used.outputTokens : 0),
  }
}

/** What the run used so far: what its results said, and the calls since. */
export function usageSoFar(known: Usage | null, calls: Calls, model: string | null): Usage | null {
  const { input, output, idInput, idOutput } = { ...NO_CALLS, ...calls }
  if (input + idInput + output + idOutput === 0) return known
  const before = known ?? { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costUsd: null, model }
  return {
    ...before,
    inputTokens: before.inputTokens + input + idInput,
    outputTokens: before.outputTokens + output + idOutput,
  }
}

function fromModel(value: unknown): Usage {
  const use = fieldsOf(value)
  const cached = countOf(use.cacheReadInputTokens)
  return {
    inputTokens: Math.round(countOf(use.inputTokens) + countOf(use.cacheCreationInputTokens) + cached),
    outputTokens: Math.round(countOf(use.outputTokens)),
    cachedTokens: Math.round(cached),
    costUsd: countOf(use.costUSD),
    model: null,
  }
}

function fromUsage(use: Fields): Usage {
  const cached = countOf(use.cache_read_input_tokens)
  return {
    inputTokens: Math.round(countOf(use.input_tokens) + countOf(use.cache_creation_input_tokens) + cached),
    outputTokens: Math.round(countOf(use.output_tokens)),
    cachedTokens: Math.round(cached),
    costUsd: null,
    model: null,
  }
}
