import { readFile } from 'node:fs/promises'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, test } from 'vitest'
import { createOpenApiDocument } from './openapi-document.ts'
import { listRestRoutes } from './rest-routes.ts'

const document = createOpenApiDocument('1.0.0')

test('the description is clean by the recommended rules of Redocly', async () => {
  const problems = await lintFromString({
    source: JSON.stringify(document),
    absoluteRef: 'openapi.json',
    config: await createConfig({ extends: ['recommended'] }),
  })
  const found = problems.map(
    ({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer} ${message}`,
  )
  expect(found).toEqual([])
})

test('its licence is that of the project', async () => {
  const { license } = JSON.parse(await readFile(new URL('../../../../package.json', import.meta.url), 'utf8'))
  expect(document.info).toMatchObject({ license: { identifier: license } })
})

test('every route of REST is described once, with a name of its own', () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  const names = operations.map((operation) => operation.operationId)
  expect(new Set(names).size).toBe(listRestRoutes().length)
  expect(names).toContain('jobsCreate')
})

test('answers may grow and requests may not', () => {
  const text = JSON.stringify(document.components.schemas)
  expect(text).not.toContain('"additionalProperties":false')
  const body = document.paths['/jobs']?.post?.requestBody?.content['application/json'].schema
  expect(body?.additionalProperties).toBe(false)
  expect(Object.keys(body?.properties ?? {})).toContain('triggers')
})

test('an idempotency key is a header and no field', () => {
  const run = document.paths['/runs']?.post
  expect(Object.keys(run?.requestBody?.content['application/json'].schema.properties ?? {})).not.toContain(
    'idempotencyKey',
  )
  expect(JSON.stringify(run?.parameters)).toContain('IdempotencyKey')
})
