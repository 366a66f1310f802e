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

test('headers, firings, changed files and pushes can be named', () => {
  const more = {
    ...facts,
    event: { ...facts.event, headers: { 'x-github-event': 'push' } },
    fire: { at: '2026-01-01T00:00:00Z' },
    changes: { paths: ['a.txt', 'b.txt'] },
    push: { branch: 'main', commits: [{ subject: 'Mend it' }] },
  }
  const text =
    '{{ event.headers.X-GitHub-Event }} {{ fire.at }} {{ changes.paths }} {{ push.branch }} {{ push.commits.0.subject }}'
  expect(renderPrompt(parseTemplate(text), more)).toBe(
    'push 2026-01-01T00:00:00Z ["a.txt","b.txt"] main Mend it',
  )
  expect(render('[{{ fire.at }}]')).toBe('[]')
  for (const wrong of ['fire.when', 'event.body', 'changes', 'push.secret', 'constructor.name'])
    expect(() => parseTemplate(`{{ ${wrong} }}`)).toThrow('there is no such value')
})
