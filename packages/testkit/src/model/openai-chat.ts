import type { Conversation, Dialect } from './dialect.ts'
import { openChatAnswer } from './openai-chat-answer.ts'

export interface ChatBody {
  model: string
  stream?: boolean
  messages: {
    role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
    content?: string | null | { type: string; text?: string }[]
  }[]
  tools?: { function: { name: string } }[]
}

/** The OpenAI Chat Completions API as opencode and plain clients use it. */
export const openaiChat: Dialect<ChatBody> = {
  matches: (method, path) => method === 'POST' && path.endsWith('/chat/completions'),

  read(body): Conversation {
    const { prompts, results } = readPrompts(body)
    return {
      model: body.model,
      system: body.messages.filter(isSystem).map(textOf).join('\n'),
      prompts: isTitleRequest(body) ? ['@say A title'] : prompts,
      resultsSinceLastPrompt: results,
      key: '',
    }
  },

  answer: openChatAnswer,
}

type Message = ChatBody['messages'][number]

const isSystem = ({ role }: Message) => role === 'system' || role === 'developer'

/** opencode has the model name each new session, with the same prompt; what that says is not to be done twice. */
function isTitleRequest({ messages, tools }: ChatBody): boolean {
  return !tools?.length && messages.some((one) => isSystem(one) && /title generator/i.test(textOf(one)))
}

function readPrompts({ messages }: ChatBody): { prompts: string[]; results: number } {
  const prompts: string[] = []
  let results = 0
  for (const message of messages) {
    if (message.role === 'tool') results += 1
    const prompt = message.role === 'user' ? textOf(message).trim() : ''
    if (prompt === '') continue
    prompts.push(prompt)
    results = 0
  }
  return { prompts, results }
}

function textOf({ content }: Message): string {
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n')
}
