import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUNTIME_CAPABILITIES } from '@baton/protocol'
import { chatAgentFile } from '../../entry.ts'
import { version } from '../../version.ts'
import { refuseNames, uuidOfRun } from '../agent-names.ts'
import { createClaudeReader } from '../claude-reader.ts'
import { runEnvironment } from '../environment.ts'
import type { RuntimeDriver } from '../runtime.ts'
import { CHAT_KEY_NAMES, type ChatModel, parseChatModel } from './chat-model.ts'

/** What the chat agent is told in a file of its run: no secret is in it. */
export type ChatSettings = {
  model: ChatModel
  system: string
  sessionId: string
  sessionFile: string
  isResumed: boolean
  /** The first pause between tries. */
  retryMs: number
}

const RETRY_MS = 1_000

/**
 * A model called directly, without any CLI and without tools: Anthropic, OpenAI, Google, or an OpenAI-compatible server
 * that the machine's policy names. Conversations are files in the folder that the agent keeps.
 */
export const chatDriver: RuntimeDriver = {
  runtime: 'chat',
  capabilities: RUNTIME_CAPABILITIES.chat,
  async prepare(input) {
    const { delivery, tmpDir, policy, agentFolder } = input
    const { agent, sessionId } = delivery
    const model = parseChatModel(agent.model, input.environment, policy.chatHosts ?? [])
    if ('problem' in model) return { refused: 'policy', message: model.problem }
    const refused = refuseNames({ ...delivery, agent: { ...agent, model: null } }, 'a chat agent')
    if (refused !== null) return refused
    const env = runEnvironment(input)
    if (
      model.service !== 'openai-compatible' &&
      !(model.keyName in env) &&
      !agent.secretNames.includes(model.keyName)
    ) {
      const what = `There is no key for ${model.service} on this machine`
      const message = `${what}: set ${model.keyName} where the runner runs, or give the agent a secret of that name.`
      return { refused: 'not_signed_in', message }
    }
    for (const name of CHAT_KEY_NAMES) if (name !== model.keyName) delete env[name]
    const id = sessionId ?? uuidOfRun(delivery.runId)
    const settings: ChatSettings = {
      model,
      system: agent.instructions.trim(),
      sessionId: id,
      sessionFile: join(agentFolder ?? tmpDir, 'conversations', `${id}.json`),
      isResumed: sessionId !== null,
      retryMs: RETRY_MS,
    }
    const file = join(tmpDir, 'chat.json')
    await writeFile(file, JSON.stringify(settings), { mode: 0o600 })
    return {
      command: {
        file: process.execPath,
        args: [chatAgentFile, file],
        env,
        stdin: delivery.prompt,
        keepStdinOpen: false,
      },
      version,
      shown: ['chat', `${model.service}/${model.model}`, new URL(model.baseUrl).host],
    }
  },
  createReader: (_run, from) => createClaudeReader({ twoWay: false, expectsChanges: false }, from),
}
