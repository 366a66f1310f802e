import { basename } from 'node:path'
import { RUNTIME_CAPABILITIES } from '@baton/protocol'
import { version } from '../version.ts'
import { initializeRequest } from './acp-messages.ts'
import { acpUsage, acpVerdict, giveUp } from './acp-outcome.ts'
import { answerAsk, interruptAcp } from './acp-permission.ts'
import { ACP_START, type AcpState, heldAcpText } from './acp-state.ts'
import { type AcpRun, quietAcp, readAcpMessage, repeatAcp } from './acp-talk.ts'
import { runEnvironment } from './environment.ts'
import { findAbove } from './find-above.ts'
import { findCommand } from './find-command.ts'
import { createJsonLinesReader, joinSteps } from './json-lines-reader.ts'
import { readOpencodeLog } from './opencode-log.ts'
import { withInstructions } from './prompt-instructions.ts'
import { findQuotaReset } from './quota-reset.ts'
import type {
  PrepareInput,
  ReaderContext,
  ReaderPosition,
  Refused,
  RunReader,
  RuntimeDriver,
} from './runtime.ts'
import { clipText, storableText } from './split-text.ts'

const RESULT_BYTES = 200 * 1024

/**
 * Any agent that speaks the Agent Client Protocol: one of the policy's `commands` with the format `acp`. What it may do is
 * decided when it asks; an agent that does not ask is held by nothing but its own settings and the machine's isolation.
 */
export const acpDriver: RuntimeDriver = {
  runtime: 'acp',
  capabilities: RUNTIME_CAPABILITIES.acp,
  async prepare(input) {
    const found = refuseSettings(input) ?? (await findCommand(input, 'acp'))
    if ('refused' in found) return found
    const env = { ...ASKING, ...runEnvironment(input) }
    const { file, args } = found
    return {
      command: { file, args, env, stdin: initializeRequest(version), keepStdinOpen: true },
      version: null,
      shown: [basename(file), ...args],
    }
  },
  createReader: createAcpReader,
}

/** Where repositories keep hooks, servers and plugins of well-known agents. */
const REPOSITORY_CODE = ['.claude', '.codex', '.gemini', '.mcp.json', '.opencode']

/** Who fired a public event may have written them, and nobody knows which of them the program runs unasked. */
function refuseSettings({ cwd, delivery }: PrepareInput): Refused | null {
  if (delivery.trust !== 'public') return null
  const path = REPOSITORY_CODE.map((name) => findAbove(cwd, name)).find((one) => one !== null)
  if (path === undefined) return null
  const message = `A public event started this run, and ${path} may hold what the agent runs unasked. Use another runtime for it, or take that away.`
  return { refused: 'policy', message }
}

/** What makes well-known agents ask before they act, where they do not by themselves. */
const ASKING = {
  OPENCODE_PERMISSION: '{"bash":"ask","edit":"ask","webfetch":"ask","external_directory":"ask"}',
  OPENCODE_DISABLE_PROJECT_CONFIG: '1',
  GEMINI_CLI_NO_RELAUNCH: 'true',
}

export function createAcpReader({ delivery, cwd }: ReaderContext, from?: ReaderPosition): RunReader {
  const { agent, sessionId } = delivery
  const expectsChanges = agent.permissionMode !== 'read_only'
  const run: AcpRun = {
    mode: agent.permissionMode,
    approvals: agent.approvals ?? { mode: 'deny', expiresMs: 0, allow: [] },
    model: agent.model ?? null,
    sessionId,
  }
  const prompt = withInstructions(agent.instructions ?? '', delivery.prompt ?? '')
  const reader = createJsonLinesReader<AcpState>(
    {
      start: { ...ACP_START, cwd: cwd ?? '', prompt },
      readEvent(message, state, atMs) {
        state.refused = null
        return readAcpMessage(message, state, run, atMs)
      },
      // Some say only there when a quota comes back, or that they try again.
      readError(text, state, atMs) {
        state.quotaUntil = findQuotaReset(text, atMs) ?? state.quotaUntil
        const { refused, events, isFinal } = readOpencodeLog(text, state.refused, atMs)
        state.refused = refused
        if (isFinal) giveUp(state)
        return { events, ...(isFinal && { ended: true }) }
      },
      flush: (state, isRestored) => (isRestored ? repeatAcp(state) : quietAcp(state)),
      held: heldAcpText,
      end(state, exit, facts) {
        const verdict = acpVerdict(state, exit, facts, expectsChanges)
        const answer = state.stopReason === null ? '' : state.answer.trim()
        const isLost =
          state.error?.phase === 'session' && sessionId !== null && verdict.errorKind === 'crashed'
        return {
          ...verdict,
          ...(isLost && { errorKind: 'session_lost' as const }),
          result: answer === '' ? null : clipText(storableText(answer), RESULT_BYTES),
          usage: acpUsage(state, sessionId === null),
          sessionId: state.sessionId,
          quotaUntil: verdict.errorKind === 'quota' ? state.quotaUntil : null,
        }
      },
    },
    from,
  )
  const { state, ...rest } = reader
  return {
    ...rest,
    answer: (ask, answer) => joinSteps([answerAsk(state, ask, answer)]),
    interrupt: () => joinSteps([interruptAcp(state)]),
    usageSoFar: () => acpUsage(state, sessionId === null),
  }
}
