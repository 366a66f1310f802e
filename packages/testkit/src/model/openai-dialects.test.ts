import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect, test } from 'vitest'
import { startStandInModel } from './stand-in-model.ts'

const post = (url: string, body: object) => fetch(url, { method: 'POST', body: JSON.stringify(body) })
const said = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] })
const eventsOf = async (answer: Response) => (await answer.text()).match(/(?<=^event: ).*/gm) ?? []

test('a streamed answer of the Responses API comes as its events, with the tokens at the end', async () => {
  await using model = await startStandInModel()
  const body = { model: 'm', stream: true, input: [said('@think Hm.\n@slow 2x1ms tick\n@usage 7 9')] }
  const answer = await post(`${model.url}/v1/responses`, body)
  const text = await answer.clone().text()
  expect(await eventsOf(answer)).toEqual([
    'response.created',
    'response.output_item.added',
    'response.reasoning_summary_part.added',
    'response.reasoning_summary_text.delta',
    'response.output_item.done',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.delta',
    'response.output_item.done',
    'response.completed',
  ])
  expect(text).toContain('"input_tokens":7')
})

test('Codex is given a script where it offers code, and calls of its tools where it offers them', async () => {
  await using model = await startStandInModel()
  const ask = async (more: object, input: object[] = []) => {
    const body = { model: 'm', input: [said('@shell ls\n@write a.txt <<< a'), ...input], ...more }
    return ((await (await post(`${model.url}/v1/responses`, body)).json()) as { output: object[] }).output
  }
  const code = { type: 'additional_tools', tools: [{ type: 'custom', name: 'exec' }] }
  expect(await ask({}, [code])).toMatchObject([
    { name: 'exec', input: expect.stringContaining('"cmd":"ls"') },
  ])
  const tools = { tools: [{ type: 'function', name: 'exec_command' }] }
  expect(await ask(tools)).toMatchObject([{ type: 'function_call', name: 'exec_command' }])
  // One call may have several outputs: it is one step of the script.
  const outputs = [1, 2].map(() => ({ type: 'custom_tool_call_output', call_id: 'call_1' }))
  expect(await ask({}, [code, ...outputs])).toMatchObject([{ input: expect.stringContaining('apply_patch') }])
})

test('what Codex adds on its own is no prompt, and its probe for a WebSocket is answered so that it goes on at once', async () => {
  await using model = await startStandInModel()
  const input = [
    { type: 'message', role: 'developer', content: 'You are Ada.' },
    said('<environment_context>\n<cwd>/x</cwd>\n</environment_context>'),
    said('one'),
    said('two'),
  ]
  await post(`${model.url}/v1/responses`, { model: 'm', input })
  expect(model.requests()[0]).toMatchObject({
    prompts: ['one', 'two'],
    system: expect.stringContaining('You are Ada.'),
  })
  const { port } = new URL(model.url)
  const asked = request({
    port,
    path: '/v1/responses',
    headers: { connection: 'Upgrade', upgrade: 'websocket' },
  })
  const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage]
  answer.resume()
  expect(answer.statusCode).toBe(426)
})

test('an account that is used up says when it is free again, in the words of each API', async () => {
  await using model = await startStandInModel()
  const inAnHour = Date.now() / 1_000 + 3_600
  const responses = await post(`${model.url}/v1/responses`, { model: 'm', input: '@fail 429' })
  const { error } = (await responses.json()) as { error: { type: string; resets_at: number } }
  expect([responses.status, error.type]).toEqual([429, 'usage_limit_reached'])
  expect(Math.abs(error.resets_at - inAnHour)).toBeLessThan(5)
  const chat = { model: 'm', messages: [{ role: 'user', content: '@fail 429' }] }
  expect((await post(`${model.url}/v1/chat/completions`, chat)).headers.get('retry-after')).toBe('3600')
  const once = { model: 'm', messages: [{ role: 'user', content: '@fail 429 1' }] }
  expect((await post(`${model.url}/v1/chat/completions`, once)).headers.get('retry-after')).toBe('1')
  const messages = await post(`${model.url}/v1/messages`, chat)
  expect(Number(messages.headers.get('anthropic-ratelimit-unified-reset'))).toBeGreaterThan(inAnHour - 5)
})

test('a streamed answer of Chat Completions ends with the tokens, and a tool call ends the turn', async () => {
  await using model = await startStandInModel()
  const messages = [{ role: 'user', content: '@say Hi.\n@shell ls\n@say Done so.' }]
  const url = `${model.url}/v1/chat/completions`
  const text = await (await post(url, { model: 'm', stream: true, messages, tools: [{}] })).text()
  expect(text).toContain('"content":"Hi."')
  expect(text).toContain('"finish_reason":"tool_calls"')
  expect(text).toContain('"prompt_tokens":100')
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  const next = [...messages, { role: 'tool', content: 'a.txt' }]
  expect(await (await post(url, { model: 'm', messages: next })).json()).toMatchObject({
    choices: [{ message: { content: 'Done so.' }, finish_reason: 'stop' }],
  })
})

test('opencode asks for a title with the same prompt, which is then not carried out', async () => {
  await using model = await startStandInModel()
  const messages = [
    { role: 'system', content: 'You are a title generator.' },
    { role: 'user', content: '@shell rm -rf .' },
  ]
  const answer = await post(`${model.url}/v1/chat/completions`, { model: 'm', messages })
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'A title' } }] })
})
