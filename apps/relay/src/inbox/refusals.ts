import type { Problem } from '../http/problem.ts'

/** Every answer of the intake other than 202. Each says what was wrong and what to do. */
export const REFUSALS = {
  method: {
    status: 405,
    type: 'method-not-allowed',
    title: 'Only POST is accepted here',
    detail: 'Send the webhook as a POST request.',
    allow: 'POST',
  },
  unknown_path: {
    status: 404,
    type: 'unknown-hook',
    title: 'No webhook at this address',
    detail: 'Copy the address from the job that it should fire; it changes when the trigger is made anew.',
  },
  encoded: {
    status: 415,
    type: 'encoded-body',
    title: 'Compressed bodies are not accepted',
    detail: 'Send the body without a Content-Encoding: the signature is checked over the bytes as they came.',
  },
  too_large: {
    status: 413,
    type: 'body-too-large',
    title: 'The body is too large',
    detail: 'GitHub webhooks may have 25 MiB, all others 1 MiB. Send less, or a link to the rest.',
  },
  cut_off: {
    status: 400,
    type: 'body-cut-off',
    title: 'The body ended before its length',
    detail: 'The connection was closed in the middle of the body. Nothing was stored; send it again.',
  },
  too_slow: {
    status: 408,
    type: 'body-too-slow',
    title: 'The body came too slowly',
    detail: 'A whole body must arrive within 15 seconds. Nothing was stored; send it again.',
  },
  signature: {
    status: 401,
    type: 'signature-refused',
    title: 'The signature is missing or wrong',
    detail: 'Sign the exact bytes of the body with the secret of this webhook.',
  },
  unsigned: {
    status: 401,
    type: 'unsigned-refused',
    title: 'Requests without a signature are not accepted here',
    detail:
      'Its job must run a fixed command and say that it takes unsigned requests; an agent is never started by one.',
  },
  bad_json: {
    status: 400,
    type: 'bad-json',
    title: 'The body is no JSON that can be used',
    detail: 'Send one JSON value.',
  },
  wrong_event: {
    status: 400,
    type: 'event-mismatch',
    title: 'The event header does not fit the body',
    detail:
      'X-GitHub-Event names another event than the body is. GitHub signs only the body, so this is refused.',
  },
  conflict: {
    status: 409,
    type: 'delivery-id-reused',
    title: 'This delivery id was used for another body',
    detail: 'An id names one request for ever. Send the changed body under a new id.',
  },
  backlog: {
    status: 429,
    type: 'backlog-full',
    title: 'The machine of this job has too much waiting',
    detail:
      'The limit is 100,000 pending deliveries for a machine. Start its runner, cancel what is not needed, or send later.',
    retryAfterS: 60,
  },
  too_many: {
    status: 429,
    type: 'too-many-requests',
    title: 'Too many requests come to this address',
    detail: 'Nothing was stored. Send the same request again after the time in Retry-After.',
    retryAfterS: 1,
  },
  unavailable: {
    status: 503,
    type: 'not-stored',
    title: 'The event could not be stored',
    detail:
      'The database cannot be reached right now. Nothing was stored, or it is not known to be; the same request again is safe.',
    retryAfterS: 2,
  },
} as const satisfies Record<string, Problem>

export type RefusalName = keyof typeof REFUSALS
