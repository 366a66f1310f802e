import type { ServerResponse } from 'node:http'
import type { Conversation, Dialect } from './dialect.ts'
import { openGeminiAnswer } from './gemini-answer.ts'

export type Part = {
  text?: string
  thought?: boolean
  functionCall?: { name: string; args: Record<string, unknown> }
  functionResponse?: { name: string; response: unknown }
}
type Content = { role?: 'user' | 'model'; parts?: Part[] }
type Requested = {
  contents?: Content[]
  systemInstruction?: { parts?: Part[] }
  generationConfig?: { responseMimeType?: string }
}
/** The model and the way of answering stand in the path. */
export type GeminiBody = Requested & { model: string; streams: boolean }

const ADDRESS = /\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/

/** The Gemini API as Gemini CLI uses it: streaming and whole answers, token counts, and the questions of its router. */
export const geminiGenerate: Dialect<GeminiBody> = {
  matches: (method, path) => method === 'POST' && ADDRESS.test(path),

  answerPlainly(path, body, response) {
    const [, model = '', way] = ADDRESS.exec(path) ?? []
    Object.assign(body, { model, streams: way === 'streamGenerateContent' })
    if (way === 'countTokens') {
      sendJson(response, { totalTokens: Math.ceil(JSON.stringify(body).length / 4) })
      return true
    }
    if (body.generationConfig?.responseMimeType !== 'application/json') return false
    sendJson(response, {
      candidates: [{ content: { role: 'model', parts: [{ text: SIDE_ANSWER }] }, finishReason: 'STOP' }],
    })
    return true
  },

  read(body): Conversation {
    const { prompts, results } = readPrompts(body.contents ?? [])
    return {
      model: body.model,
      system: textOf(body.systemInstruction?.parts),
      prompts,
      resultsSinceLastPrompt: results,
      key: '',
    }
  },

  answer: openGeminiAnswer,
}

/** Answers what Gemini CLI asks beside the conversation: which model is to answer, who speaks next, whether it loops. */
const SIDE_ANSWER = JSON.stringify({
  reasoning: 'The stand-in model decides so.',
  model_choice: 'flash',
  complexity_reasoning: 'simple',
  complexity_score: 10,
  next_speaker: 'user',
  unproductive_state_confidence: 0,
  unproductive_state_analysis: 'none',
})

/** The user's own prompts, without the context that Gemini CLI puts before them, and the tool results since the last. */
function readPrompts(contents: Content[]): { prompts: string[]; results: number } {
  const prompts: string[] = []
  let results = 0
  for (const { role, parts = [] } of contents) {
    if (role === 'model') continue
    results += parts.filter((part) => part.functionResponse !== undefined).length
    const prompt = withoutContext(textOf(parts))
    if (!prompt) continue
    prompts.push(prompt)
    results = 0
  }
  return { prompts, results }
}

function withoutContext(text: string): string {
  return text.replace(/<session_context>[\s\S]*?<\/session_context>/g, '').trim()
}

function textOf(parts: Part[] = []): string {
  return parts.flatMap(({ text, thought }) => (text === undefined || thought ? [] : [text])).join('\n')
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
