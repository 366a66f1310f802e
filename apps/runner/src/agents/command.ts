import { basename } from 'node:path'
import { RUNTIME_CAPABILITIES } from '@baton/protocol'
import { createClaudeReader } from './claude-reader.ts'
import { runEnvironment } from './environment.ts'
import { findCommand } from './find-command.ts'
import type { CommandFormat, JsonValue, RuntimeDriver } from './runtime.ts'
import { createTextReader } from './text-reader.ts'

/**
 * Any executable that the machine's policy names. The prompt comes on its stdin, which is then closed; what started the
 * run comes in its environment (BATON_EVENT_PATH is a file with the event's body); nothing of either is on its argv.
 */
export const commandDriver: RuntimeDriver = {
  runtime: 'command',
  capabilities: RUNTIME_CAPABILITIES.command,
  async prepare(input) {
    const found = await findCommand(input, 'command')
    if ('refused' in found) return found
    const { file, args } = found
    return {
      command: { file, args, env: runEnvironment(input), stdin: input.delivery.prompt, keepStdinOpen: false },
      version: null,
      shown: [basename(file), ...args],
    }
  },
  createReader(run, from) {
    const format =
      formatOf(from?.state) ?? run.policy.commands[run.delivery.agent.command ?? '']?.format ?? 'text'
    const reader =
      format === 'text'
        ? createTextReader(from)
        : createClaudeReader({ twoWay: false, expectsChanges: false }, from)
    return {
      ...reader,
      position() {
        const { committed, state } = reader.position()
        return { committed, state: { ...(state as { [key: string]: JsonValue }), format } }
      },
    }
  },
}

/** The format that an adopted run began with, whatever the policy says by now. */
function formatOf(state: JsonValue | undefined): CommandFormat | null {
  const format = typeof state === 'object' && state !== null && !Array.isArray(state) ? state.format : null
  return format === 'text' || format === 'stream-json' ? format : null
}
