import type { RunEventBody } from '@baton/protocol'
import type { CodexRun, CodexState } from './codex-state.ts'
import { type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
const MOST_KEPT = 200
/** As much as the settle report takes. */
const ANSWER_BYTES = 200 * 1024

/** What an `item.started`, `item.updated` or `item.completed` means: it is `completed` or not. */
export function readCodexItem(event: Fields, state: CodexState, run: CodexRun): RunEventBody[] {
  const item = fieldsOf(event.item)
  const isDone = event.type === 'item.completed'
  const text = textOf(item.text) ?? ''
  switch (item.type) {
    case 'error':
      return isDone ? [{ type: 'warning', text: textOf(item.message) ?? jsonText(item) }] : []
    case 'agent_message':
      if (!isDone || text === '') return []
      state.answer = clipText(text, ANSWER_BYTES)
      return [...consumed(state), { type: 'message', role: 'assistant', text }]
    case 'reasoning':
      return isDone && text !== '' ? [...consumed(state), { type: 'thinking', text }] : []
    case 'todo_list':
      return [...consumed(state), { type: 'plan', entries: listOf(item.items).map(planEntry) }]
    default:
      return readToolItem(item, isDone, state, run)
  }
}

function consumed(state: CodexState): RunEventBody[] {
  state.retrying = null
  if (state.consumed) return []
  state.consumed = true
  return [{ type: 'consumed' }]
}

function planEntry(value: unknown): { text: string; status: 'pending' | 'completed' } {
  const entry = fieldsOf(value)
  return { text: textOf(entry.text) ?? '', status: entry.completed === true ? 'completed' : 'pending' }
}

type Tool = { name: string; input: unknown }

const tools: Record<string, (item: Fields) => Tool> = {
  command_execution: (item) => ({ name: 'shell', input: { command: item.command } }),
  file_change: (item) => ({ name: 'apply_patch', input: { changes: item.changes } }),
  web_search: (item) => ({ name: 'web_search', input: { query: item.query } }),
  mcp_tool_call: (item) => ({
    name: `mcp__${textOf(item.server) ?? ''}__${textOf(item.tool) ?? ''}`,
    input: item.arguments ?? {},
  }),
  collab_tool_call: (item) => ({
    name: textOf(item.tool) ?? 'collaborate',
    input: { prompt: item.prompt, threads: item.receiver_thread_ids },
  }),
}

/** A tool call comes when it starts and when it ends, or only when it ends. */
function readToolItem(item: Fields, isDone: boolean, state: CodexState, run: CodexRun): RunEventBody[] {
  const kind = textOf(item.type) ?? ''
  const tool = Object.hasOwn(tools, kind) ? tools[kind]?.(item) : undefined
  if (tool === undefined) return []
  const id = textOf(item.id) ?? ''
  const events = consumed(state)
  if (!state.open.includes(id)) {
    events.push({ type: 'tool_started', id, ...tool })
    state.open = [...state.open, id].slice(-MOST_KEPT)
  }
  if (!isDone) return events
  state.open = state.open.filter((one) => one !== id)
  return [...events, ...finishTool(item, { id, ...tool }, state, run)]
}

function finishTool(
  item: Fields,
  tool: Tool & { id: string },
  state: CodexState,
  run: CodexRun,
): RunEventBody[] {
  const exitCode = typeof item.exit_code === 'number' ? Math.round(item.exit_code) : null
  const isOver = item.status === undefined || item.status === 'completed'
  const ok = isOver && (exitCode ?? 0) === 0 && fieldsOf(item.error).message === undefined
  const output = outputOf(item)
  if (ok) state.toolsDone += 1
  const events: RunEventBody[] = [{ type: 'tool_finished', id: tool.id, ok, output, exitCode }]
  if (ok) return events
  const broken = exitCode === null ? null : (/^(?:bwrap|codex-linux-sandbox): .*$/m.exec(output)?.[0] ?? null)
  if (broken !== null) state.brokenSandbox = clipText(broken, DETAIL_BYTES)
  if (broken !== null || isRefused(item, output, run))
    events.push(...denyCodexTool(state, tool.name, jsonText(tool.input)))
  return events
}

export function denyCodexTool(state: CodexState, tool: string, detail: string): RunEventBody[] {
  if (!state.deniedTools.includes(tool) && state.deniedTools.length < MOST_KEPT) state.deniedTools.push(tool)
  return [{ type: 'permission_denied', tool, detail: clipText(detail, DETAIL_BYTES) }]
}

/**
 * Codex does not say whether its sandbox refused a command, only the command itself does: what lies outside of it is a
 * read-only file system on Linux, and "not permitted" on macOS. A tool of an MCP server is refused in words.
 */
function isRefused(item: Fields, output: string, run: CodexRun): boolean {
  if (item.type === 'mcp_tool_call') return /requires approval|rejected by user approval/i.test(output)
  if (run.permissionMode === 'full' || item.type !== 'command_execution') return false
  return /Read-only file system/.test(output) || (process.platform === 'darwin' && NOT_PERMITTED.test(output))
}

const NOT_PERMITTED = /Operation not permitted/

function outputOf(item: Fields): string {
  const error = textOf(fieldsOf(item.error).message)
  if (error !== null) return error
  if (item.type === 'file_change') return listOf(item.changes).map(changeLine).join('\n')
  const content = listOf(fieldsOf(item.result).content).map(fieldsOf)
  const result = content.map((block) => textOf(block.text) ?? `[${textOf(block.type) ?? 'unknown'}]`)
  return textOf(item.aggregated_output) ?? result.join('\n')
}

function changeLine(value: unknown): string {
  const change = fieldsOf(value)
  return `${textOf(change.kind) ?? 'change'} ${textOf(change.path) ?? ''}`
}
