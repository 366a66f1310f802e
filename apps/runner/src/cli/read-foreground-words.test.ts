import { expect, test } from 'vitest'
import { readForegroundWords } from './read-foreground-words.ts'

test.each([
  ['up --foreground', { takeover: false }],
  ['up --foreground --takeover --profile staging', { takeover: true, profile: 'staging' }],
  ['up --profile staging --foreground', { takeover: false, profile: 'staging' }],
  ['up', null],
  ['down --foreground', null],
  ['up --foreground --help', null],
  ['up --foreground --json', null],
  ['up --foreground --profile', null],
  ['up --foreground --profile --takeover', null],
  ['up --foreground --server https://relay.example.com --key-stdin', null],
])('"baton %s" starts the runner at once or is left to the command line', (line, options) => {
  expect(readForegroundWords(line.split(' '))).toEqual(options)
})
