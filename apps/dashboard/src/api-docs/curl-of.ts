import { bodyOf, type Endpoint, type Schema } from './open-api.ts'

/** A line for a shell. The token comes from the environment, so that it stands in no history. */
export function curlOf(base: string, { method, path, operation }: Endpoint): string {
  const address = `${base}${path.replaceAll(/\{(\w+)\}/g, '<$1>')}`
  const body = bodyOf(operation)
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}'${address}'`,
    '-H "Authorization: Bearer $BATON_TOKEN"',
    ...(body
      ? [
          `-H 'Content-Type: application/json'`,
          `-d '${JSON.stringify(example(body)).replaceAll("'", "'\\''")}'`,
        ]
      : []),
  ].join(' \\\n  ')
}

/** What is required, with a value of the right type. */
function example(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0]
  if (choice) return example(choice)
  const type = [schema.type ?? []].flat()[0]
  switch (type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, example(schema.properties?.[name] ?? {})]),
      )
    case 'array':
      return []
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return true
    default:
      return '…'
  }
}
