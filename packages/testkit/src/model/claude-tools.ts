import { randomUUID } from 'node:crypto'
import type { MessagesBody } from './anthropic-messages.ts'
import type { ToolDirective } from './directives.ts'

export interface ToolUse {
  type: 'tool_use'
  id: string
  name: string
  input: Record<string, unknown>
}

/**
 * The call that brings a directive about with Claude Code's tools. Claude Code keeps most tools, and all MCP tools, out
 * of the request until ToolSearch has named them, so a tool that is not offered is searched for first, once.
 */
export function toolUseFor(directive: ToolDirective, { tools = [], messages }: MessagesBody): ToolUse {
  const wanted = claudeCall(directive)
  const isOffered = (name: string) => tools.some((tool) => tool.name === name)
  const query = `select:${wanted.name}`
  const searched = messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .some((block) => block.type === 'tool_use' && isAid(block.id) && block.input.query === query)
  const id = randomUUID().replaceAll('-', '')
  if (isOffered(wanted.name) || searched || !isOffered('ToolSearch')) {
    return { type: 'tool_use', id: `toolu_${id}`, ...wanted }
  }
  return { type: 'tool_use', id: `${aidPrefix}${id}`, name: 'ToolSearch', input: { query } }
}

/** True for a call that the stand-in made on its own account: its result is no step of the script. */
export function isAid(toolUseId: string): boolean {
  return toolUseId.startsWith(aidPrefix)
}

const aidPrefix = 'toolu_aid_'

function claudeCall(directive: ToolDirective): Pick<ToolUse, 'name' | 'input'> {
  if (directive.kind === 'shell') return { name: 'Bash', input: { command: directive.command } }
  if (directive.kind === 'tool') return { name: directive.name, input: directive.input }
  return { name: 'Write', input: { file_path: directive.path, content: directive.content } }
}
