import { nameOf, type Schema } from './open-api.ts'

/** A schema as people who write programs read one: like a type of TypeScript, with its descriptions as comments. */
export function schemaText(schema: Schema, indent = ''): string {
  if (schema.$ref) return nameOf(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map((one) => schemaText(one, indent)))].join(' | ')
  if (schema.allOf) return schema.allOf.map((one) => schemaText(one, indent)).join(' & ')
  const types = [schema.type ?? []].flat()
  if (types.length === 0) return schema.properties ? objectText(schema, indent) : 'any'
  return types.map((type) => typeText(type, schema, indent)).join(' | ')
}

/** The names of the schemas that a schema speaks of, in the order in which it does. */
export function namesIn(schema: Schema): string[] {
  const names = JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)
  return [...new Set([...names].map(([, reference]) => nameOf(reference ?? '')))]
}

function typeText(type: string, schema: Schema, indent: string): string {
  if (type === 'object') return objectText(schema, indent)
  if (type !== 'array') return type
  const item = schemaText(schema.items ?? {}, indent)
  return item.includes(' | ') ? `(${item})[]` : `${item}[]`
}

function objectText(schema: Schema, indent: string): string {
  const fields = Object.entries(schema.properties ?? {})
  if (fields.length === 0) {
    const values = schema.additionalProperties
    return typeof values === 'object' ? `{ [name: string]: ${schemaText(values, indent)} }` : '{}'
  }
  const inner = `${indent}  `
  const lines = fields.map(([name, field]) => {
    const mark = schema.required?.includes(name) ? '' : '?'
    const fallback = field.default === undefined ? '' : ` = ${JSON.stringify(field.default)}`
    const note = field.description && !field.$ref ? `  // ${field.description}` : ''
    return `${inner}${name}${mark}: ${schemaText(field, inner)}${fallback}${note}`
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}
