import type { DistinctHeaders, Scheme } from '../src/index.ts'

/** One request that its sender signed, with the clock at which it was fresh. */
export interface Vector {
  name: string
  scheme: Scheme
  secrets: string[]
  headers: Record<string, string>
  rawBody: Buffer
  nowMs: number
}

const gitHubSecret = "It's a Secret to Everybody"
const standardMessage = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: '1614265330',
  body: '{"test": 2432232314}',
}
const slackBody =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'

/** Published or recomputed with the senders' own libraries; the secrets are public examples. */
export const vectors: Vector[] = [
  gitHub(
    "GitHub's documentation",
    'Hello, World!',
    '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  ),
  gitHub('GitHub, empty body', '', '66a0c074deaa0f489ead6537e0d32f9a344b90bbeda705b6ed45ecd3b413fb40'),
  gitHub(
    'GitHub, UTF-8 body',
    '{"title":"héllo 🚀"}',
    '8d620d30cf056be4ca163e7da105bbc13f5bdc86cbd77c188203b54e441c18df',
  ),
  standard(
    'Standard Webhooks, shared secret',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  ),
  standard(
    'Standard Webhooks, Svix key pair',
    'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
  ),
  standard(
    'Standard Webhooks, key pair of RFC 8032',
    'whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    'v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw==',
  ),
  {
    name: "Slack's documentation",
    scheme: 'slack',
    secrets: ['8f742231b10e8888abcd99yyyzzz85a5'],
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    rawBody: Buffer.from(slackBody),
    nowMs: 1531420618_000,
  },
  {
    name: "Stripe's library",
    scheme: 'stripe',
    secrets: ['whsec_test_secret'],
    headers: {
      'stripe-signature': 't=1614265330,v1=af4ead0627a34a8cca29808e8de9ada8e41a92e6237c63cef6eacf51d36cca34',
    },
    rawBody: Buffer.from(JSON.stringify({ id: 'evt_test_webhook', object: 'event' }, null, 2)),
    nowMs: 1614265330_000,
  },
  {
    // Made with openssl's AES-256-CBC and SHA-256 as Lark documents them; Lark publishes no whole request.
    name: "Lark's encrypted event",
    scheme: 'lark',
    secrets: ['test key-that-is-long-enough-1234'],
    headers: {
      'x-lark-request-timestamp': '1614265330',
      'x-lark-request-nonce': 'nonce42',
      'x-lark-signature': 'd2975f6b5fe315ea0600117b3c422cee0fe8ab8176b443d8657c4541267cef2e',
    },
    rawBody: Buffer.from(
      '{"encrypt":"BwcHBwcHBwcHBwcHBwcHB+rHmHru+2CWeYo5gSz5RRAmG9pECoD+2qVwDh1Q/pCE6IBUO5EduJkYPe6xo5gDxLRZ7jkm/MGsnN5j48qjbaEaA99zpY2LUwaskklkuSqA0fH1mxuD9VPI1QA3r2gcEJA1eibclLMVWsgw5WmskTVnXX0UQ6FD1XSFOm3s6Eqx"}',
    ),
    nowMs: 1614265330_000,
  },
  {
    // From `printf '%s' '1614265330.{"ref":"main"}' | openssl dgst -sha256 -hmac sk_hook_0123456789abcdef0123456789abcdef`.
    name: "openssl's answer for our own scheme",
    scheme: 'baton',
    secrets: ['sk_hook_0123456789abcdef0123456789abcdef'],
    headers: {
      'x-baton-signature': 't=1614265330,v1=0b0c2e223d4a27efd644344b0ab8f6d80027b22a63e6edeb60e00ec84ba7b095',
    },
    rawBody: Buffer.from('{"ref":"main"}'),
    nowMs: 1614265330_000,
  },
  {
    name: 'a bearer secret',
    scheme: 'bearer',
    secrets: ['sk_hook_0123456789abcdef0123456789abcdef'],
    headers: { authorization: 'Bearer sk_hook_0123456789abcdef0123456789abcdef' },
    rawBody: Buffer.from('{}'),
    nowMs: 1614265330_000,
  },
]

/** The vector of that name; throws when it was renamed. */
export function vector(name: string): Vector {
  const found = vectors.find((one) => one.name === name)
  if (found === undefined) throw new Error(`There is no vector named ${name}.`)
  return found
}

/** Headers as `request.headersDistinct` of Node gives them. */
export function distinct(headers: Record<string, string>): DistinctHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]))
}

function gitHub(name: string, body: string, hex: string): Vector {
  return {
    name,
    scheme: 'github',
    secrets: [gitHubSecret],
    headers: { 'x-hub-signature-256': `sha256=${hex}` },
    rawBody: Buffer.from(body),
    nowMs: 0,
  }
}

function standard(name: string, secret: string, signature: string): Vector {
  const { id, timestamp, body } = standardMessage
  return {
    name,
    scheme: 'standard',
    secrets: [secret],
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature },
    rawBody: Buffer.from(body),
    nowMs: Number(timestamp) * 1000,
  }
}
