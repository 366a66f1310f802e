import { BatonError, KEPT_SECRET, OUTPUT_SECRETS, type OutputKind } from '@baton/protocol'

type Config = Record<string, unknown>

/**
 * Takes the secrets out of a config. What is shown and stored in clear has `***` in their place; `***` that comes in keeps
 * what `kept` has there, and is refused where there is nothing to keep.
 */
export function splitSecrets(
  kind: OutputKind,
  config: Config,
  kept: Config,
): { shown: Config; secrets: Config } {
  const shown: Config = { ...config }
  const secrets: Config = {}
  for (const field of OUTPUT_SECRETS[kind] ?? []) {
    const value = config[field]
    if (value === undefined) continue
    if (typeof value === 'object' && value !== null) {
      const before = (kept[field] ?? {}) as Config
      secrets[field] = mapValues(value as Config, (one, name) =>
        keepOr(one, before[name], `${field}.${name}`),
      )
      shown[field] = mapValues(value as Config, () => KEPT_SECRET)
    } else {
      secrets[field] = keepOr(value, kept[field], field)
      shown[field] = KEPT_SECRET
    }
  }
  return { shown, secrets }
}

function keepOr(value: unknown, kept: unknown, name: string): unknown {
  if (value !== KEPT_SECRET) return value
  if (kept !== undefined) return kept
  throw new BatonError(
    'bad_input',
    `${name} is ${KEPT_SECRET}, which keeps a stored secret, and there is none. Give its value.`,
  )
}

const mapValues = (fields: Config, change: (value: unknown, name: string) => unknown): Config =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, change(value, name)]))
