/** What every operation of the document shares. */

export const TAGS = [
  { name: 'me', description: 'Who asks.' },
  { name: 'overview', description: 'Everything at one glance.' },
  { name: 'jobs', description: 'What agents are to do, and what fires it.' },
  { name: 'triggers', description: 'What fires a job.' },
  { name: 'runs', description: 'Work of an agent, from the prompt to the result.' },
  { name: 'undos', description: 'Orders to put a workspace back.' },
  { name: 'approvals', description: 'What agents ask before they act.' },
  { name: 'deliveries', description: 'Work on its way to a machine.' },
  { name: 'events', description: 'The inbox: everything that came in.' },
  { name: 'outputs', description: 'Where results go.' },
  { name: 'dispatches', description: 'The outbox: what was and is to be sent.' },
  { name: 'agents', description: 'Coding agents on machines, with their secrets and skills.' },
  { name: 'machines', description: 'Computers on which agents work.' },
  { name: 'sessions', description: 'Conversations that agents can go on with.' },
  { name: 'usage', description: 'Tokens and money.' },
  { name: 'stages', description: 'How long each step took.' },
  { name: 'why', description: 'What stands between something and its next step.' },
  { name: 'tokens', description: 'API tokens.' },
  { name: 'organization', description: 'The organization as a whole.' },
]

const text = { type: 'string' }

export const PARAMETERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'Any text of your own. The same request with the same key within 24 hours gets the first answer again and does nothing.',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'The ETag of what you have: 304 without a body while it is still right.',
    schema: text,
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description:
      'The ETag of what you read: 412 when somebody changed the fields that can be changed since. That a run ended or a machine went away in between does not count.',
    schema: text,
  },
}

export const RESPONSE_HEADERS = {
  RequestId: { description: 'Names this request in the log of the relay.', schema: text },
  RateLimit: { description: '`"token";r=<requests left>;t=<seconds until it is full again>`.', schema: text },
  RateLimitPolicy: { description: '`"token";q=<requests>;w=<in so many seconds>`.', schema: text },
  ETag: { description: 'For If-None-Match and If-Match.', schema: text },
  Link: { description: '`<…>; rel="next"`: the next page. Absent on the last one.', schema: text },
  Location: { description: 'Where what was made can be read.', schema: text },
  IdempotencyReplayed: { description: '`true`: this answer was given before.', schema: text },
}

export const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457. Branch on `type` or `code`; `detail` is for people.',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: text,
    status: { type: 'integer' },
    detail: text,
    code: text,
    requestId: text,
    errors: {
      type: 'array',
      description: 'Each field that is not right.',
      items: { type: 'object', properties: { path: text, message: text }, required: ['path', 'message'] },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
} as Record<string, unknown>

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
})

export const RESPONSES = {
  Problem: problem('What went wrong and what to do about it.'),
  Problem400: problem('The input is not right.'),
  Problem401: problem('No valid token.'),
  Problem403: problem('The token or its person may not do this.'),
  Problem404: problem('There is no such thing in this organization.'),
  Problem409: problem('It conflicts with what is so; or with another request of the same Idempotency-Key.'),
  Problem412: problem('Somebody changed it since it was read.'),
  Problem429: problem('Too many requests; Retry-After says when to go on.'),
}
