import { expect, test } from 'vitest'
import { createChatOutput } from './chat-output.ts'

test('an answer is passed on by whole paragraphs, and code is not cut', () => {
  const lines: string[] = []
  const output = createChatOutput('s', 'm', (line) => lines.push(line))
  const text = 'One.\n\nTwo:\n\n```\na\n\nb\n```\n\nThree.'
  output.piece('thinking', 'Hm.')
  for (const piece of text.match(/.{1,3}/gs) ?? []) output.piece('text', piece)
  output.done({ text, tokens: { input: 10, output: 2, cached: 4 }, stop: 'end' })
  const events = lines.map((line) => JSON.parse(line))
  const said = events.filter((event) => event.type === 'assistant').map((event) => event.message.content[0])
  expect(said).toEqual([
    { type: 'thinking', thinking: 'Hm.' },
    { type: 'text', text: 'One.\n\n' },
    { type: 'text', text: 'Two:\n\n' },
    { type: 'text', text: '```\na\n\nb\n```\n\n' },
    { type: 'text', text: 'Three.' },
  ])
  expect(events.at(-1)).toMatchObject({
    is_error: false,
    result: text,
    usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 2 },
  })
})
