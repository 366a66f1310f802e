import { expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { startStandInModel } from './stand-in-model.ts'

type Message = { role: string; content: unknown }
interface Answered {
  content: { type: string; id: string; name?: string; input?: object; text?: string }[]
  stop_reason: string
  usage: object
}

function ask(url: string, messages: Message[], more: object = {}, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model: 'stand-in', max_tokens: 100, messages, ...more })
  return fetch(`${url}/v1/messages?beta=true`, { method: 'POST', body, ...(signal && { signal }) })
}

async function answerTo(url: string, messages: Message[], more?: object): Promise<Answered> {
  return (await (await ask(url, messages, more)).json()) as Answered
}

const user = (content: unknown): Message => ({ role: 'user', content })
const text = (value: string) => ({ type: 'text', text: value })
const result = (id: string) => user([{ type: 'tool_result', tool_use_id: id, content: 'ok' }])

test('the position in the script is the number of tool results after the last prompt', async () => {
  await using model = await startStandInModel()
  const prompt = user('@say I begin.\n@shell ls\n@write a.txt <<< a\n@say Finished.')
  const first = await answerTo(model.url, [prompt])
  expect(first.content.map(({ type }) => type)).toEqual(['text', 'tool_use'])
  expect(first.stop_reason).toBe('tool_use')
  const second = await answerTo(model.url, [prompt, result('toolu_1')])
  expect(second.content[0]).toMatchObject({ name: 'Write', input: { file_path: 'a.txt', content: 'a\n' } })
  const third = await answerTo(model.url, [prompt, result('toolu_1'), result('toolu_2')])
  expect(third).toMatchObject({ content: [{ text: 'Finished.' }], stop_reason: 'end_turn' })
})

test('a prompt without directives is answered with the number of prompts, the notes of Claude Code not counted', async () => {
  await using model = await startStandInModel()
  const answer = await answerTo(model.url, [
    user([text('<system-reminder>\nBe kind.\n</system-reminder>'), text('one')]),
    user([text('[Request interrupted by user]\n'), text('two')]),
    {
      role: 'system',
      content: 'The user sent a new message while you were working:\nthree\n\nThis is how Claude Code …',
    },
    user([{ type: 'tool_result', tool_use_id: 'toolu_aid_1', content: [] }, text('Tool loaded.')]),
  ])
  expect(answer.content[0]?.text).toBe('This conversation has 3 user prompts.')
  expect(model.requests()[0]?.prompts).toEqual(['one', 'two', 'three'])
})

test('a tool that is not offered is searched for once, and the search is no step of the script', async () => {
  await using model = await startStandInModel()
  const prompt = user('@tool mcp__shop__order {"id":7}\n@say Ordered.')
  const tools = { tools: [{ name: 'ToolSearch' }] }
  const search = await answerTo(model.url, [prompt], tools)
  expect(search.content[0]).toMatchObject({ name: 'ToolSearch', input: { query: 'select:mcp__shop__order' } })
  const searched = [
    prompt,
    { role: 'assistant', content: search.content },
    result(search.content[0]?.id ?? ''),
  ]
  const call = await answerTo(model.url, searched, tools)
  expect(call.content[0]).toMatchObject({ name: 'mcp__shop__order', input: { id: 7 } })
})

test('a streamed answer comes as the events of the Messages API', async () => {
  await using model = await startStandInModel()
  const response = await ask(model.url, [user('@think Hm.\n@slow 2x1ms tick\n@usage 7 9')], { stream: true })
  const stream = await response.text()
  expect(stream.match(/(?<=^event: ).*/gm)).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
  expect(stream).toContain('"usage":{"input_tokens":7,"output_tokens":9}')
})

test('a failure that is limited happens so many times in each conversation, whatever the path', async () => {
  await using model = await startStandInModel()
  const statuses = async (run: string) => {
    const answers: number[] = []
    for (let tries = 0; tries < 3; tries += 1)
      answers.push((await ask(`${model.url}/${run}`, [user('@fail 529 2')])).status)
    return answers
  }
  expect(await statuses('run-1')).toEqual([529, 529, 200])
  expect(await statuses('run-2')).toEqual([529, 529, 200])
  expect(model.requests().map(({ path }) => path)).toContain('/run-2/v1/messages')
})

test('the log says that the client went away, and tells it from a connection that the stand-in cut', async () => {
  await using model = await startStandInModel()
  const cancel = new AbortController()
  const hanging = ask(
    model.url,
    [user('@say Wait.\n@hang')],
    { stream: true, system: 'You are Ada.' },
    cancel.signal,
  )
  await hanging
  cancel.abort()
  await eventually(() =>
    expect(model.requests()[0]).toMatchObject({ aborted: true, cut: false, system: 'You are Ada.' }),
  )
  await expect(ask(model.url, [user('@cut')])).rejects.toThrow()
  expect(model.requests()[1]).toMatchObject({ aborted: false, cut: true, status: undefined })
})

test('tokens are counted without the model, and an unknown address is a plain 404', async () => {
  await using model = await startStandInModel()
  const counted = await fetch(`${model.url}/v1/messages/count_tokens`, {
    method: 'POST',
    body: '{"messages":[]}',
  })
  expect(await counted.json()).toEqual({ input_tokens: expect.any(Number) })
  expect((await fetch(`${model.url}/v1/nothing`, { method: 'POST', body: '{}' })).status).toBe(404)
})
