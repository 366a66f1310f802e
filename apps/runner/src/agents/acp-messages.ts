import { type AcpState, REQUEST_IDS } from './acp-state.ts'
import type { JsonValue } from './runtime.ts'

/** One line of JSON-RPC 2.0. */
export function rpcLine(message: object): string {
  return `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
}

/** The first line: files and terminals of the client are not offered, the agent has its own. */
export function initializeRequest(version: string): string {
  const clientCapabilities = { fs: { readTextFile: false, writeTextFile: false }, terminal: false }
  const clientInfo = { name: 'baton', title: 'Baton', version }
  const params = { protocolVersion: 1, clientCapabilities, clientInfo }
  return rpcLine({ id: REQUEST_IDS.initialize, method: 'initialize', params })
}

export function sessionRequest(
  method: 'session/new' | 'session/load' | 'session/resume',
  cwd: string,
  sessionId: string | null,
): string {
  const params = { ...(sessionId !== null && { sessionId }), cwd, mcpServers: [] }
  return rpcLine({ id: REQUEST_IDS.session, method, params })
}

/** Takes the prompt out of the state: it is sent once. */
export function promptRequest(state: AcpState): string {
  const params = { sessionId: state.sessionId, prompt: [{ type: 'text', text: state.prompt }] }
  state.prompt = ''
  return rpcLine({ id: REQUEST_IDS.prompt, method: 'session/prompt', params })
}

export function cancelNotice(state: AcpState): string {
  return rpcLine({ method: 'session/cancel', params: { sessionId: state.sessionId } })
}

/** The answer to a permission request: the option chosen, or none. */
export function permissionAnswer(id: JsonValue, optionId: string | null): string {
  const outcome = optionId === null ? { outcome: 'cancelled' } : { outcome: 'selected', optionId }
  return rpcLine({ id, result: { outcome } })
}

export function methodNotFound(id: JsonValue, method: string): string {
  return rpcLine({ id, error: { code: -32601, message: `Baton does not offer "${method}".` } })
}
