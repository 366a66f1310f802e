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

/** Counts the model call that an `assistant` event belongs to. Its output is not in there, so only what went in counts. */
export function noteCall(
  calls: { tokens: number; id: string | null; idTokens: number },
  message: Fields,
): void {
  const id = textOf(message.id)
  if (id === null) return
  if (id !== calls.id) Object.assign(calls, { tokens: calls.tokens + calls.idTokens, id, idTokens: 0 })
  calls.idTokens = Math.max(calls.idTokens, fromUsage(fieldsOf(message.usage)).inputTokens)
}

/** What the run used so far: what its results said, and what went into the calls since. */
export function usageSoFar(
  known: Usage | null,
  calls: { tokens: number; idTokens: number },
  model: string | null,
): Usage | null {
  const tokens = calls.tokens + calls.idTokens
  if (tokens === 0) return known
  const before = known ?? { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costUsd: null, model }
  return { ...before, inputTokens: before.inputTokens + tokens }
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
