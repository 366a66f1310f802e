import { BatonError } from '@baton/protocol'
import type { Field } from './config-fields.ts'

export type Fields = Record<string, Field<unknown>>
export type Config<F extends Fields> = {
  [Name in keyof F]: F[Name] extends Field<infer Value> ? Value : never
}

export interface ConfigSources {
  /** From the command line, by the names of the fields. */
  flags?: Record<string, unknown>
  env?: Record<string, string | undefined>
  /** A configuration file's values by the names of the fields, and its name for the messages. */
  file?: { name: string; values: unknown }
}

type Found = { value: unknown; from: string } | undefined

/**
 * Reads every field from flags, then the environment, then the file, then its default. Field `publicUrl` is
 * `BATON_PUBLIC_URL` in the environment unless it names another variable; an empty variable counts as not set.
 * A broken configuration throws one BatonError (`bad_input`) that lists all problems, a line each.
 */
export function readConfig<F extends Fields>(fields: F, sources: ConfigSources): Config<F> {
  const { flags = {}, env = {}, file } = sources
  const problems = file ? problemsOfFile(fields, file) : []
  const config: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const variable = field.env ?? variableFor(name)
    const found =
      fromFlags(flags, name) ?? fromEnvironment(env, variable) ?? fromFile(file, name) ?? undefined
    const problem = found
      ? read(field, found, (value) => (config[name] = value))
      : missing(field, name, variable)
    if (problem) problems.push(problem)
    else if (!found) config[name] = field.default
  }
  if (problems.length > 0) throw new BatonError('bad_input', describe(problems))
  return config as Config<F>
}

function fromFlags(flags: Record<string, unknown>, name: string): Found {
  if (flags[name] === undefined) return undefined
  return {
    value: flags[name],
    from: `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  }
}

function fromEnvironment(env: Record<string, string | undefined>, variable: string): Found {
  return env[variable] ? { value: env[variable], from: variable } : undefined
}

function fromFile(file: ConfigSources['file'], name: string): Found {
  const value = isRecord(file?.values) && Object.hasOwn(file.values, name) ? file.values[name] : undefined
  return file && value !== undefined ? { value, from: `"${name}" in ${file.name}` } : undefined
}

/** Hands on the value, or says what is wrong with it; a secret is not repeated in the message. */
function read(
  field: Field<unknown>,
  found: NonNullable<Found>,
  take: (value: unknown) => void,
): string | undefined {
  const parsed = field.parse(found.value)
  if (parsed !== undefined) {
    take(parsed)
    return undefined
  }
  const given = field.secret ? '' : `, not ${JSON.stringify(found.value)}`
  return `${found.from} must be ${field.expected}${given}`
}

function missing(field: Field<unknown>, name: string, variable: string): string | undefined {
  return field.required ? `${name} is missing: set ${variable} to ${field.expected}` : undefined
}

function problemsOfFile(fields: Fields, file: NonNullable<ConfigSources['file']>): string[] {
  if (!isRecord(file.values)) return [`${file.name} must hold one JSON object`]
  const unknown = Object.keys(file.values).filter((name) => !Object.hasOwn(fields, name))
  return unknown.map(
    (name) => `"${name}" in ${file.name} is not a setting; known ones are ${Object.keys(fields).join(', ')}`,
  )
}

function describe(problems: string[]): string {
  return ['The configuration cannot be used:', ...problems.map((problem) => `  ${problem}`)].join('\n')
}

function variableFor(name: string): string {
  return `BATON_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
