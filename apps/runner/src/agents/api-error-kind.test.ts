import { expect, test } from 'vitest'
import { apiErrorKind, apiErrorText } from './api-error-kind.ts'

test('a failure is told apart by its status, and by its words where there is none', () => {
  expect([401, 403, 429, 402, 500, 400].map((status) => apiErrorKind(status, ''))).toEqual([
    'not_signed_in',
    'not_signed_in',
    'quota',
    'quota',
    'api_error',
    'api_error',
  ])
  expect(apiErrorKind(400, 'API key not valid. Please pass a valid API key.')).toBe('not_signed_in')
  expect(apiErrorKind(null, 'You have exhausted your daily quota on this model.')).toBe('quota')
  expect(apiErrorKind(null, 'terminated')).toBe('api_error')
})

test('the words of the service are taken out of the JSON around them', () => {
  const whole =
    '[API Error: [{"error":{"code":500,"message":"It \\"broke\\".","status":"INTERNAL","details":[]}}]]'
  expect(apiErrorText(whole)).toBe('HTTP 500: It "broke".')
  expect(apiErrorText('terminated')).toBe('terminated')
})
