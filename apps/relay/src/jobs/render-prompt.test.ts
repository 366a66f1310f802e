import { expect, test } from 'vitest'
import { parseTemplate, renderPrompt } from './render-prompt.ts'

const facts = {
  payload: {
    ref: 'refs/heads/main',
    commits: [{ id: 'a1' }],
    gone: null,
    evil: '{{ job.key }} $(exit 1) `id`',
  },
  event: { id: 'evt_1', source: 'webhook' },
  job: { key: 'fix', name: 'Fix it' },
}
const render = (source: string) => renderPrompt(parseTemplate(source), facts)

test('values of the payload are filled in by path', () => {
  expect(render('Look at {{ payload.ref }} ({{payload.commits.0.id}}) for {{ job.name }}.')).toBe(
    'Look at refs/heads/main (a1) for Fix it.',
  )
})

test('a missing or null value is empty or its default', () => {
  expect(render('[{{ payload.nope.deep }}] [{{ payload.gone | default: "none" }}]')).toBe('[] [none]')
})

test('objects and lists are written as JSON', () => {
  expect(render('{{ payload.commits }} {{ payload.ref | json }}')).toBe('[{"id":"a1"}] "refs/heads/main"')
})

test('a value is never evaluated or filled in again', () => {
  expect(render('{{ payload.evil }}')).toBe('{{ job.key }} $(exit 1) `id`')
})

test('inherited properties are no values', () => {
  expect(render('[{{ payload.constructor.name }}] [{{ payload.__proto__ }}]')).toBe('[] []')
})

test('an unknown name or a broken placeholder is refused with the words to mend it', () => {
  expect(() => parseTemplate('{{ secrets.key }}')).toThrow('there is no such value')
  expect(() => parseTemplate('{{ payload.x | eval }}')).toThrow('is no placeholder')
  expect(() => parseTemplate('{{ job.prompt }}')).toThrow('Known are payload')
})
