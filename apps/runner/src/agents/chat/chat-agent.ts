/**
 * The chat agent: one prompt, one answer of a model, without tools. It is a program of its own, so that a run of it is
 * supervised, adopted and ended like that of any other agent. The prompt comes on stdin, the key in the environment
 * variable that the settings name, everything else in the file of settings that is its one argument.
 */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { ChatSettings } from './chat.ts'
import { askChat } from './chat-answer.ts'
import { createChatOutput } from './chat-output.ts'
import { readChatSession, writeChatSession } from './chat-session.ts'

// A reader that has gone is no reason to print a stack trace.
process.stdout.on('error', () => {})
process.exitCode = await main()

async function main(): Promise<number> {
  const settings = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as ChatSettings
  const { model, sessionId, sessionFile, isResumed, system, retryMs } = settings
  const output = createChatOutput(sessionId, `${model.service}/${model.model}`, (line) =>
    process.stdout.write(line),
  )
  const prompt = await text(process.stdin)
  const before = isResumed ? await readChatSession(sessionFile) : []
  if (before === null) {
    output.lost()
    return 1
  }
  output.start()
  // Kept before it is asked: after a failure the conversation has the prompt and needs only to be told to go on.
  const turns = [...before, { role: 'user' as const, text: prompt }]
  await writeChatSession(sessionFile, turns)
  const key = process.env[model.keyName] ?? null
  const answer = await askChat({ model, key, system, turns }, output, retryMs)
  if ('message' in answer) {
    output.failed(answer)
    return 1
  }
  if (answer.stop !== 'refusal')
    await writeChatSession(sessionFile, [...turns, { role: 'assistant', text: answer.text }])
  output.done(answer)
  return answer.stop === 'refusal' ? 1 : 0
}
