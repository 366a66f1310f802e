import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually, startStandInModel } from '@baton/testkit'
import { describe, expect, test } from 'vitest'
import { chatDriver } from '../../src/agents/chat/chat.ts'
import { askChat } from '../../src/agents/chat/chat-answer.ts'
import type { ChatFailure } from '../../src/agents/chat/chat-failure.ts'
import { type ChatModel, parseChatModel } from '../../src/agents/chat/chat-model.ts'
import { createBudgetReader } from '../../src/agents/profile/watch-budget.ts'
import type { PrepareInput } from '../../src/agents/runtime.ts'
import { makePlaces, newDelivery, runAgent, type TestPlace } from './run-agent.ts'

const environmentOf = (url: string) => ({
  ANTHROPIC_BASE_URL: url,
  OPENAI_BASE_URL: `${url}/v1`,
  GOOGLE_GEMINI_BASE_URL: url,
})
const keys = { ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o', GEMINI_API_KEY: 'g', CHAT_API_KEY: 'c' }

function inputFor(
  place: TestPlace,
  url: string,
  prompt: string,
  { model = 'anthropic/claude-x', sessionId = null as string | null, instructions = '' } = {},
): PrepareInput {
  return {
    delivery: newDelivery({ runtime: 'chat', model, instructions }, prompt, sessionId),
    cwd: place.cwd,
    tmpDir: place.tmpDir,
    eventFile: place.eventFile,
    agentFolder: place.home,
    policy: { commands: {}, environment: [], chatHosts: [new URL(url).host] },
    environment: { PATH: process.env.PATH, HOME: place.home, ...environmentOf(url), ...keys },
  }
}

const services = (url: string): [string, string, string][] => [
  ['anthropic/claude-x', '/v1/messages', 'x-api-key'],
  ['openai/gpt-x', '/v1/responses', 'authorization'],
  ['google/gemini-x', '/v1beta/models/gemini-x:streamGenerateContent', 'x-goog-api-key'],
  [`openai-compatible:${url}/v1#llama`, '/v1/chat/completions', 'authorization'],
]
const sent: Record<string, string> = {
  anthropic: 'a',
  openai: 'Bearer o',
  google: 'g',
  'openai-compatible': 'Bearer c',
}

describe('a chat agent', () => {
  test('names what it used before its end, so that a budget can end it', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    for (const [name] of services(model.url)) {
      const input = inputFor(place, model.url, '@usage 120 30\n@say Hello.', { model: name })
      const lines = (await runAgent(input)).stdout.toString().split('\n')
      const spent: string[] = []
      const budget = { runUsd: null, runTokens: 150, dayUsd: null, dayTokens: null }
      const reader = createBudgetReader(
        chatDriver.createReader({ delivery: input.delivery, policy: input.policy }),
        budget,
        ({ of }) => spent.push(of),
      )
      const unended = lines.filter((line) => !line.includes('"type":"result"')).join('\n')
      reader.read({ stream: 'stdout', bytes: Buffer.from(unended), atMs: 0 })
      expect([name, reader.usageSoFar?.()]).toMatchObject([name, { inputTokens: 120, outputTokens: 30 }])
      await eventually(() => expect(spent).toEqual(['run']))
    }
  })

  test('answers through each API, with its instructions, its own key and its usage', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    for (const [name, path, header] of services(model.url)) {
      const input = inputFor(place, model.url, '@usage 120 30\n@say Hello.', {
        model: name,
        instructions: 'Be kind.',
      })
      const { end, events } = await runAgent(input)
      expect([name, end]).toMatchObject([
        name,
        {
          state: 'succeeded',
          outcome: 'done',
          result: 'Hello.',
          usage: { inputTokens: 120, outputTokens: 30 },
        },
      ])
      expect(events.map((event) => event.type)).toEqual(['session', 'consumed', 'message', 'usage', 'result'])
      const request = model.requests().at(-1)
      expect(request).toMatchObject({ path, system: expect.stringContaining('Be kind.') })
      expect(request?.headers[header]).toBe(sent[name.split(/[/:]/)[0] ?? ''])
    }
  })

  test('goes on with a conversation, and says when it is gone', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const first = await runAgent(inputFor(place, model.url, 'How many?'))
    expect(first.end.result).toBe('This conversation has 1 user prompt.')
    const sessionId = first.end.sessionId ?? ''
    const second = await runAgent(inputFor(place, model.url, 'And now?', { sessionId }))
    expect(second.end).toMatchObject({ result: 'This conversation has 2 user prompts.', sessionId })
    const gone = inputFor(place, model.url, 'And now?', { sessionId: '018f3c5e-7a10-4b6e-9c55-2f6f0d1c9a02' })
    expect((await runAgent(gone)).end).toMatchObject({ state: 'failed', errorKind: 'session_lost' })
  })

  test('fails with what the service said', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const wrongKey = await runAgent(inputFor(place, model.url, '@fail 401'))
    expect(wrongKey.end).toMatchObject({ state: 'failed', errorKind: 'not_signed_in' })
    const usedUp = await runAgent(inputFor(place, model.url, '@fail 429', { model: 'google/gemini-x' }))
    expect(usedUp.end).toMatchObject({ state: 'failed', errorKind: 'quota' })
    expect(usedUp.end.quotaUntil).toBeGreaterThan(Date.now() + 3_500_000)
    const wrong = await runAgent(inputFor(place, model.url, '@fail 400'))
    expect(wrong.end).toMatchObject({ state: 'failed', errorKind: 'api_error' })
  })

  test('is refused without a model, without a key, and at a server that the policy does not name', async () => {
    await using place = await makePlaces()
    const input = inputFor(place, 'http://127.0.0.1:9', '')
    const prepare = (model: string | null, more: Partial<PrepareInput> = {}) =>
      chatDriver.prepare({ ...input, delivery: newDelivery({ runtime: 'chat', model }, ''), ...more })
    expect(await prepare(null)).toMatchObject({ refused: 'policy' })
    expect(await prepare('openai-compatible:https://evil.example.com/v1#x')).toMatchObject({
      refused: 'policy',
      message: expect.stringContaining('chatHosts'),
    })
    expect(await prepare('openai/gpt-x', { environment: { PATH: '/bin' } })).toMatchObject({
      refused: 'not_signed_in',
      message: expect.stringContaining('OPENAI_API_KEY'),
    })
  })

  test('has only the key of its own service, and neither key nor prompt on its argv', async () => {
    await using place = await makePlaces()
    const prepared = await chatDriver.prepare(inputFor(place, 'http://127.0.0.1:9', 'secret prompt'))
    if ('refused' in prepared) throw new Error(prepared.message)
    expect(prepared.command.env).toMatchObject({ ANTHROPIC_API_KEY: 'a' })
    expect(Object.keys(prepared.command.env)).not.toContain('OPENAI_API_KEY')
    expect([...prepared.command.args, ...prepared.shown].join(' ')).not.toContain('secret')
  })
})

describe('asking a model', () => {
  const modelAt = (url: string, text = 'anthropic/claude-x') =>
    parseChatModel(text, environmentOf(url), []) as ChatModel
  const ask = async (url: string, prompt: string, text?: string) => {
    const retries: ChatFailure[] = []
    let said = ''
    const listener = {
      piece: (_: string, piece: string) => {
        said += piece
      },
      retry: (_: number, failure: ChatFailure) => retries.push(failure),
      asked: () => undefined,
      used: () => undefined,
    }
    const turns = [{ role: 'user' as const, text: prompt }]
    const answer = await askChat({ model: modelAt(url, text), key: 'k', system: '', turns }, listener, 1)
    return { answer, retries, said }
  }

  test('is tried again after failures that pass, up to a bound', async () => {
    await using model = await startStandInModel()
    const through = await ask(model.url, '@fail 529 2\n@say Through.')
    expect(through.answer).toMatchObject({ text: 'Through.' })
    expect(through.retries.map(({ status }) => status)).toEqual([529, 529])
    const cut = await ask(model.url, '@say Half.\n@wait 20\n@cut 1\n@say Whole.')
    expect(cut.answer).toMatchObject({ text: 'Half.Whole.' })
    const never = await ask(model.url, '@fail 500')
    expect(never.answer).toMatchObject({ status: 500, isPassing: true })
    expect(never.retries).toHaveLength(3)
    const nobody = await ask('http://127.0.0.1:9', '@say Never.')
    expect(nobody.answer).toMatchObject({
      status: null,
      message: expect.stringContaining('could not be reached'),
    })
  })

  test('goes on where an answer stopped at its length, and adds up what it used', async () => {
    await using model = await startStandInModel()
    for (const [name, reason] of [
      ['anthropic/claude-x', 'max_tokens'],
      ['google/gemini-x', 'MAX_TOKENS'],
    ]) {
      const { answer } = await ask(model.url, `@usage 5 3\n@say One, \n@stop ${reason}`, name)
      expect(answer).toEqual({
        text: 'One,This conversation has 2 user prompts.',
        tokens: { input: 105, output: 13, cached: 0 },
        stop: 'end',
      })
    }
  })

  test('sends nothing on to where it is redirected', async () => {
    await using model = await startStandInModel()
    const server = createServer((_, response) => response.writeHead(307, { location: model.url }).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { answer } = await ask(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        '@say Never.',
      )
      expect(answer).toMatchObject({ status: null })
      expect(model.requests()).toEqual([])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
