import { createHash } from 'node:crypto'
import { jsonText } from '../agents/json-fields.ts'
import type { JsonValue } from '../agents/runtime.ts'

/** SHA-256 of exactly what an agent wants to do and where: an answer to it allows nothing else. */
export function actionHash(action: { tool: string; input: JsonValue; cwd: string }): string {
  return createHash('sha256')
    .update(jsonText([action.tool, action.input, action.cwd]))
    .digest('hex')
}
