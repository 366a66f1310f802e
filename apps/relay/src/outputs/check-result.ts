import { BatonError } from '@baton/protocol'
import { Ajv, type ValidateFunction } from 'ajv'

const LIMIT = 5

/** Throws `bad_input` that says what is wrong with the schema. */
export function assertSchema(schema: Record<string, unknown>): void {
  compile(schema)
}

/**
 * Compares a result with a schema. The result may be JSON, or text with one block of JSON in it (agents like to explain);
 * answers the value, or why it does not match.
 */
export function checkResult(
  schema: Record<string, unknown>,
  result: string,
): { ok: true; value: unknown } | { ok: false; why: string } {
  const value = readJson(result)
  if (value === undefined)
    return { ok: false, why: 'The result is not JSON, and the output asks for a schema.' }
  const validate = compile(schema)
  if (validate(value)) return { ok: true, value }
  const problems = (validate.errors ?? [])
    .slice(0, LIMIT)
    .map((error) => `${error.instancePath === '' ? 'the whole' : error.instancePath} ${error.message}`)
  return { ok: false, why: `The result does not match the schema of the output: ${problems.join('; ')}.` }
}

/** The value of a text that is JSON or holds a block of it; undefined: neither. */
export function readJson(text: string): unknown {
  const blocks = [...text.matchAll(/```(?:json)?[ \t]*\n([\s\S]*?)\n[ \t]*```/g)].map(
    (match) => match[1] ?? '',
  )
  for (const candidate of [text, ...blocks.toReversed()]) {
    try {
      return JSON.parse(candidate)
    } catch {
      // The next one may be.
    }
  }
  return undefined
}

/** `$ref` to other documents is never fetched: ajv refuses what it does not have. */
function compile(schema: Record<string, unknown>): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  try {
    return ajv.compile(schema)
  } catch (cause) {
    throw new BatonError(
      'bad_input',
      `The schema of the output cannot be used: ${(cause as Error).message}.`,
      { cause },
    )
  }
}
