import { expect, test } from 'vitest'
import { parseChatModel } from './chat-model.ts'

test('the named services are called at their own addresses, or at those that the owner of the machine set', () => {
  expect(parseChatModel('anthropic/claude-x', {}, [])).toEqual({
    service: 'anthropic',
    baseUrl: 'https://api.anthropic.com',
    model: 'claude-x',
    keyName: 'ANTHROPIC_API_KEY',
  })
  const environment = { OPENAI_BASE_URL: 'https://proxy.example.com/v1/' }
  expect(parseChatModel('openai/gpt-x', environment, [])).toMatchObject({
    baseUrl: 'https://proxy.example.com/v1',
  })
  expect(parseChatModel('google/gemini-x', {}, [])).toMatchObject({ keyName: 'GEMINI_API_KEY' })
})

test('another server is called only where the policy names its host, over https unless it is this machine', () => {
  const parse = (text: string, hosts: string[]) => parseChatModel(text, {}, hosts)
  const text = 'openai-compatible:https://models.example.com:8443/v1#llama/3'
  expect(parse(text, ['models.example.com:8443'])).toEqual({
    service: 'openai-compatible',
    baseUrl: 'https://models.example.com:8443/v1',
    model: 'llama/3',
    keyName: 'CHAT_API_KEY',
  })
  const local = 'openai-compatible:http://127.0.0.1:11434/v1#qwen'
  expect(parse(local, ['127.0.0.1:11434'])).toMatchObject({ baseUrl: 'http://127.0.0.1:11434/v1' })
  const refused: [string, string[]][] = [
    [text, []],
    [text, ['models.example.com']],
    ['openai-compatible:http://models.example.com/v1#x', ['models.example.com']],
    ['openai-compatible:https://allowed.com@evil.com/v1#x', ['allowed.com', 'evil.com']],
    ['openai-compatible:https://evil.com/v1?to=allowed.com#x', ['allowed.com', 'evil.com']],
    ['openai-compatible:file:///etc/passwd#x', ['']],
  ]
  for (const [model, hosts] of refused)
    expect([model, parse(model, hosts)]).toEqual([model, { problem: expect.any(String) }])
})

test('a text that names no model says which forms there are', () => {
  for (const text of [null, 'sonnet', 'constructor/x', 'mistral/large', 'openai/', 'openai/a b'])
    expect(parseChatModel(text, {}, [])).toEqual({ problem: expect.stringContaining('anthropic/<model>') })
})
