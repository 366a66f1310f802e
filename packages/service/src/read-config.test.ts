import { expect, expectTypeOf, test } from 'vitest'
import { choice, integer, text, toggle, url } from './config-fields.ts'
import { readConfig } from './read-config.ts'

const fields = {
  port: integer({ default: 4127, min: 0, max: 65_535 }),
  publicUrl: url({ optional: true }),
  databaseUrl: url({ env: 'DATABASE_URL', protocols: ['postgres', 'postgresql'], secret: true }),
  secret: text({ min: 32, secret: true }),
  noOpen: toggle(),
  logLevel: choice(['debug', 'info', 'warn'], { default: 'info' }),
}
const enough = { DATABASE_URL: 'postgres://u:p@localhost/baton', BATON_SECRET: 'x'.repeat(32) }

test('a flag goes before the environment, that before the file, that before the default', () => {
  const file = { name: 'default.json', values: { port: 3 } }
  expect(readConfig(fields, { env: enough }).port).toBe(4127)
  expect(readConfig(fields, { env: enough, file }).port).toBe(3)
  expect(readConfig(fields, { env: { ...enough, BATON_PORT: '2' }, file }).port).toBe(2)
  expect(readConfig(fields, { env: { ...enough, BATON_PORT: '2' }, file, flags: { port: '1' } }).port).toBe(1)
})

test('every field has its type, and what was left out is undefined', () => {
  const config = readConfig(fields, { env: { ...enough, BATON_NO_OPEN: 'yes', BATON_PUBLIC_URL: '' } })
  expectTypeOf(config.port).toEqualTypeOf<number>()
  expectTypeOf(config.publicUrl).toEqualTypeOf<string | undefined>()
  expectTypeOf(config.logLevel).toEqualTypeOf<'debug' | 'info' | 'warn'>()
  expect(config).toEqual({
    port: 4127,
    publicUrl: undefined,
    databaseUrl: 'postgres://u:p@localhost/baton',
    secret: 'x'.repeat(32),
    noOpen: true,
    logLevel: 'info',
  })
})

test('all problems are told at once, each with where the value came from and what it must be', () => {
  const sources = {
    flags: { publicUrl: 'ftp://x' },
    env: { BATON_PORT: '70000', BATON_SECRET: 'short-secret', BATON_NO_OPEN: 'maybe' },
    file: { name: 'default.json', values: { logLevel: 'loud', prot: 1 } },
  }
  let message = ''
  try {
    readConfig(fields, sources)
  } catch (error) {
    expect(error).toMatchObject({ name: 'BatonError', code: 'bad_input' })
    message = String((error as Error).message)
  }
  expect(message.split('\n')).toEqual([
    'The configuration cannot be used:',
    '  "prot" in default.json is not a setting; known ones are port, publicUrl, databaseUrl, secret, noOpen, logLevel',
    '  BATON_PORT must be a whole number from 0 to 65535, not "70000"',
    '  --public-url must be a URL that begins with http:// or https://, not "ftp://x"',
    '  databaseUrl is missing: set DATABASE_URL to a URL that begins with postgres:// or postgresql://',
    '  BATON_SECRET must be a text of at least 32 characters',
    '  BATON_NO_OPEN must be true or false, not "maybe"',
    '  "logLevel" in default.json must be one of debug, info, warn, not "loud"',
  ])
})

test('a file that holds no object is a problem, not a crash', () => {
  expect(() => readConfig(fields, { env: enough, file: { name: 'default.json', values: [1] } })).toThrow(
    'default.json must hold one JSON object',
  )
})

test.each(['1.5', '', ' ', 'ten', '1e3', '0x10'])('%j is not a whole number', (raw) => {
  expect(integer().parse(raw)).toBeUndefined()
})
