import { expect, test } from 'vitest'
import { curlOf } from './curl-of.ts'
import type { Endpoint, OpenApi } from './open-api.ts'
import { findEndpoints } from './open-api.ts'
import { namesIn, schemaText } from './schema-text.ts'

test('a schema reads like a type', () => {
  const text = schemaText({
    type: 'object',
    required: ['id', 'kind'],
    properties: {
      id: { type: 'string', description: 'Its id.' },
      kind: { enum: ['a', 'b'] },
      run: { anyOf: [{ $ref: '#/components/schemas/Run' }, { type: 'null' }] },
      tags: { type: 'array', items: { type: ['string', 'null'] } },
      limit: { type: 'integer', default: 50 },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
    },
  })
  expect(text).toBe(`{
  id: string  // Its id.
  kind: "a" | "b"
  run?: Run | null
  tags?: (string | null)[]
  limit?: integer = 50
  headers?: { [name: string]: string }
}`)
  expect(namesIn({ items: { $ref: '#/components/schemas/Run' } })).toEqual(['Run'])
})

const endpoint: Endpoint = {
  method: 'POST',
  path: '/jobs/{id}/run',
  operation: {
    operationId: 'jobsRun',
    summary: 'Fire a job by hand',
    description: 'Needs the scope `run`.',
    tags: ['jobs'],
    requestBody: {
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['text', 'mode'],
            properties: { text: { type: 'string' }, mode: { enum: ['a'] }, more: { type: 'string' } },
          },
        },
      },
    },
    responses: {},
  },
}

test('an example carries the token from the environment, what is required and nothing else', () => {
  expect(curlOf('https://baton.test/api/v1', endpoint)).toBe(
    `curl -X POST 'https://baton.test/api/v1/jobs/<id>/run' \\
  -H "Authorization: Bearer $BATON_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d '{"text":"…","mode":"a"}'`,
  )
})

test('endpoints are found by any words of theirs', () => {
  const document = { paths: { '/jobs/{id}/run': { post: endpoint.operation } } } as unknown as OpenApi
  expect(findEndpoints(document, 'fire JOB post')).toHaveLength(1)
  expect(findEndpoints(document, 'machine')).toHaveLength(0)
})
