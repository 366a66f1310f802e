import type { ToolDirective } from './directives.ts'
import type { ResponsesBody, ResponsesTool } from './openai-responses.ts'

export type CodexCall =
  | { type: 'function_call'; name: string; namespace?: string; arguments: string }
  | { type: 'custom_tool_call'; name: string; input: string }

/**
 * The call that brings a directive about with Codex's tools. For the models that it knows, Codex offers one tool `exec`
 * that runs JavaScript ("code mode"), in which the others are functions; for other models they are offered themselves.
 */
export function codexCall(directive: ToolDirective, body: ResponsesBody): CodexCall {
  const offered = offeredTools(body)
  if (offered.some((tool) => tool.type === 'custom' && tool.name === 'exec'))
    return { type: 'custom_tool_call', name: 'exec', input: scriptFor(directive) }
  if (directive.kind !== 'tool') {
    const cmd = directive.kind === 'shell' ? directive.command : shellPatch(directive)
    return functionCall('exec_command', { cmd, yield_time_ms: LONGEST_YIELD_MS })
  }
  const namespace = offered.find((tool) => tool.name === directive.name)?.namespace
  return { ...functionCall(directive.name, directive.input), ...(namespace && { namespace }) }
}

/** Every tool that a request offers, in `tools` or in an `additional_tools` item of the input, those in namespaces too. */
function offeredTools(body: ResponsesBody): (ResponsesTool & { namespace?: string })[] {
  const items = typeof body.input === 'string' ? [] : body.input
  const lists = [body.tools ?? [], ...items.map((item) => item.tools ?? [])]
  return lists.flat().flatMap((tool) => {
    if (tool.type !== 'namespace') return [tool]
    return (tool.tools ?? []).map((inner) => ({ ...inner, ...(tool.name && { namespace: tool.name }) }))
  })
}

const LONGEST_YIELD_MS = 30_000

function functionCall(name: string, input: object): CodexCall {
  return { type: 'function_call', name, arguments: JSON.stringify(input) }
}

/** A command is waited for to its end; the script itself may take as long. */
function scriptFor(directive: ToolDirective): string {
  const pragma = '// @exec: {"yield_time_ms": 3600000}'
  if (directive.kind === 'tool') {
    const call = `tools[${JSON.stringify(directive.name)}](${JSON.stringify(directive.input)})`
    return `${pragma}\ntext(await ${call})`
  }
  if (directive.kind === 'write')
    return `${pragma}\ntext(await tools.apply_patch(${JSON.stringify(patch(directive))}))`
  const first = JSON.stringify({ cmd: directive.command, yield_time_ms: LONGEST_YIELD_MS })
  return [
    pragma,
    `let part = await tools.exec_command(${first})`,
    'let output = part.output',
    'while (part.session_id !== undefined) {',
    `  part = await tools.write_stdin({ session_id: part.session_id, chars: '', yield_time_ms: ${LONGEST_YIELD_MS} })`,
    '  output += part.output',
    '}',
    `text(\`\${output}\\nexit code \${part.exit_code}\`)`,
  ].join('\n')
}

/** Without a tool for patches, Codex takes this command for one. */
function shellPatch(directive: Extract<ToolDirective, { kind: 'write' }>): string {
  return `apply_patch <<'END_OF_PATCH'\n${patch(directive)}\nEND_OF_PATCH`
}

function patch({ path, content }: Extract<ToolDirective, { kind: 'write' }>): string {
  const lines = content.replace(/\n$/, '').split('\n')
  return [
    '*** Begin Patch',
    `*** Add File: ${path}`,
    ...lines.map((line) => `+${line}`),
    '*** End Patch',
  ].join('\n')
}
