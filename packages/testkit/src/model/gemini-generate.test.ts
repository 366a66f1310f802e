import { expect, test } from 'vitest'
import { startStandInModel } from './stand-in-model.ts'

type Part = { text?: string; thought?: boolean; functionCall?: { name: string; args: object } }
type Chunk = {
  candidates: { content: { parts: Part[] }; finishReason?: string }[]
  usageMetadata: { promptTokenCount: number; candidatesTokenCount: number }
}

const user = (...texts: string[]) => ({ role: 'user', parts: texts.map((text) => ({ text })) })
const called = (name: string) => ({ role: 'user', parts: [{ functionResponse: { name, response: {} } }] })

function ask(url: string, way: string, contents: object[], more: object = {}): Promise<Response> {
  const body = JSON.stringify({ contents, ...more })
  return fetch(`${url}/v1beta/models/gemini-2.5-pro:${way}`, { method: 'POST', body })
}

async function streamed(url: string, contents: object[]): Promise<Chunk[]> {
  const text = await (await ask(url, 'streamGenerateContent?alt=sse', contents)).text()
  return text.match(/(?<=^data: ).*/gm)?.map((line) => JSON.parse(line)) ?? []
}

test('a streamed answer comes as parts, the thoughts marked, and ends with a reason and the tokens', async () => {
  await using model = await startStandInModel()
  const chunks = await streamed(model.url, [user('@think Hm.\n@slow 2x1ms tick\n@usage 7 9')])
  expect(chunks.flatMap(({ candidates }) => candidates[0]?.content.parts)).toEqual([
    { text: 'Hm.', thought: true },
    { text: 'tick 1\n' },
    { text: 'tick 2\n' },
  ])
  expect(chunks.at(-1)).toMatchObject({
    candidates: [{ finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 9 },
  })
})

test('the script goes on after each tool answer, and the context of the CLI is no prompt', async () => {
  await using model = await startStandInModel()
  const prompt = user('<session_context>\nToday is Friday.\n</session_context>', '@shell ls\n@say Finished.')
  const [first] = await streamed(model.url, [prompt])
  expect(first?.candidates[0]?.content.parts[0]?.functionCall).toMatchObject({
    name: 'run_shell_command',
    args: { command: 'ls' },
  })
  const [second] = await streamed(model.url, [prompt, called('run_shell_command')])
  expect(second?.candidates[0]?.content.parts).toEqual([{ text: 'Finished.' }])
  expect(model.requests()[0]?.prompts).toEqual(['@shell ls\n@say Finished.'])
})

test('a quota that is used up says when it comes back; one of a minute comes back at once', async () => {
  await using model = await startStandInModel()
  const failure = async (prompt: string) => {
    const response = await ask(model.url, 'generateContent', [user(prompt)])
    return { status: response.status, text: await response.text() }
  }
  const lasting = await failure('@fail 429')
  expect(lasting.status).toBe(429)
  expect(lasting.text).toMatch(/RequestsPerDay.*"retryDelay":"3600s"/)
  expect((await failure('@fail 429 1')).text).toMatch(/RequestsPerMinute.*"retryDelay":"1s"/)
})

test('the questions beside the conversation are answered without the script', async () => {
  await using model = await startStandInModel()
  const generationConfig = { responseMimeType: 'application/json' }
  const routed = await ask(model.url, 'generateContent', [user('@fail 500')], { generationConfig })
  expect(await routed.text()).toContain('model_choice')
  const counted = await ask(model.url, 'countTokens', [user('Hello.')])
  expect(await counted.json()).toEqual({ totalTokens: expect.any(Number) })
})
