import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

function logged(level?: string) {
  const lines: string[] = []
  const log = createLogger({
    name: 'relay',
    ...(level && { level }),
    destination: { write: (line) => lines.push(line) },
  })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}

test('a line is one JSON object with level, time, name and message', () => {
  const { log, last } = logged()
  log.info({ port: 4127 }, 'listening')
  expect(last()).toMatchObject({ level: 'info', name: 'relay', port: 4127, msg: 'listening' })
  expect(Date.parse(String(last().time))).toBeGreaterThan(0)
})

test('what is below the level is not written', () => {
  const { log, lines } = logged('warn')
  log.info('hello')
  log.warn('careful')
  expect(lines).toHaveLength(1)
})

test('values under secret names are masked at any depth, in lists and in child loggers', () => {
  const { log, lines } = logged()
  log.info({
    headers: { Authorization: 'Bearer abcdef', cookie: 'baton_session=abcdef', accept: '*/*' },
    list: [{ deep: { deeper: { deepest: { password: 'abcdef', apiKey: 'abcdef' } } } }],
    machineKey: 'abcdef',
    clientSecrets: ['abcdef'],
  })
  log.child({ token: 'abcdef' }).child({ secret: 'abcdef', run: 'run_1' }).info('with bindings')
  expect(lines.join('')).not.toContain('abcdef')
  expect(lines.join('')).toContain('*/*')
  expect(lines.at(-1)).toContain('run_1')
})

test('secrets are masked by their look in messages, errors and URLs', () => {
  const { log, lines, last } = logged()
  const error = new Error('connect postgres://baton:abcdef@db.example/baton failed', {
    cause: new Error('sent Authorization: Bearer abcdef'),
  })
  log.error({ error, url: 'https://user:abcdef@example.com/x' }, 'key sk_machine_abcdef123 refused')
  log.error(error)
  expect(lines.join('')).not.toContain('abcdef')
  expect(last().err).toMatchObject({
    type: 'Error',
    message: expect.stringContaining('db.example/baton failed'),
  })
  expect(lines.join('')).toContain('logger.test.ts')
})

test('counts and words that only look like secret names are shown', () => {
  const { log, last } = logged()
  log.info({ inputTokens: 12, tokensUsed: 'all', monkey: 'ape', idempotencyKey: 'k-1', expired: new Date(0) })
  expect(last()).toMatchObject({
    inputTokens: 12,
    tokensUsed: 'all',
    monkey: 'ape',
    idempotencyKey: 'k-1',
    expired: '1970-01-01T00:00:00.000Z',
  })
})

test('an object that holds itself can be logged', () => {
  const { log, last } = logged()
  const self: Record<string, unknown> = { here: 1 }
  self.self = self
  log.info(self, 'round')
  expect(last()).toMatchObject({ here: 1, msg: 'round' })
})
