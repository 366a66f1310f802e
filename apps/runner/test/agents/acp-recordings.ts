import type { PermissionMode } from '@baton/protocol'
import { newDelivery } from './run-agent.ts'

/** One run of a real agent over the Agent Client Protocol whose lines, in both directions, are kept as a fixture. */
export type Recording = {
  name: string
  prompt: string
  permissionMode: PermissionMode
  outcome: string
  errorKind: string | null
  cwd: string
  stdout: string
  stdin: string
  result: string | null
}

export const RECORDED: Record<
  'gemini' | 'opencode',
  Pick<Recording, 'name' | 'prompt' | 'permissionMode'>[]
> = {
  gemini: [
    { name: 'answer', prompt: '@think Hm.\n@slow 3x20ms tick\n@say And more.', permissionMode: 'read_only' },
    { name: 'edit', prompt: '@write a.txt <<< a\n@say Written.', permissionMode: 'edit' },
    { name: 'refused', prompt: '@shell touch b\n@say Tried.', permissionMode: 'edit' },
    { name: 'shell', prompt: '@shell echo hi\n@say Done.', permissionMode: 'full' },
    { name: 'api-400', prompt: '@fail 400', permissionMode: 'edit' },
    { name: 'api-429', prompt: '@fail 429', permissionMode: 'edit' },
  ],
  opencode: [
    { name: 'answer', prompt: '@slow 3x20ms tick', permissionMode: 'read_only' },
    { name: 'edit', prompt: '@write a.txt <<< a\n@say Written.', permissionMode: 'edit' },
    { name: 'refused', prompt: '@shell touch b\n@say Tried.', permissionMode: 'edit' },
    { name: 'shell', prompt: '@shell echo hi\n@say Done.', permissionMode: 'full' },
    { name: 'api-400', prompt: '@fail 400', permissionMode: 'edit' },
  ],
}

/** A delivery as in the recording: the agent's messages do not depend on its ids. */
export function recordedDelivery({ prompt, permissionMode }: Pick<Recording, 'prompt' | 'permissionMode'>) {
  return newDelivery({ runtime: 'acp', command: 'it', permissionMode }, prompt)
}
