import { startTestRelay, type TestRelay } from '@baton/testkit'

/** What JSON.parse gives: tests look at answers field by field, as clients in JavaScript do. */
type Parsed = ReturnType<typeof JSON.parse>
export type RestCall = { status: number; headers: Headers; body: Parsed; text: string }
export type RestPlace = AsyncDisposable & {
  relay: TestRelay
  organizationId: string
  userId: string
  machineId: string
  machineKey: string
  agentId: string
  token: string
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<RestCall>
  /** A token of the same person with these scopes. */
  tokenFor(scopes: string[]): Promise<string>
  /** Another organization on the same relay. */
  other(): Promise<{ token: string; organizationId: string }>
}

/** A relay with an organization, a machine that never connects and an agent on it, spoken to over REST. */
export async function startRestPlace(env: Record<string, string> = {}): Promise<RestPlace> {
  const relay = await startTestRelay({ env: { BATON_API_RATE: '100000', ...env } })
  const made = await relay.setup<{
    organizationId: string
    userId: string
    machineId: string
    machineKey: string
    token: string
    agents: { id: string }[]
  }>({
    organization: 'default',
    userName: 'Ann',
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
    agents: [{ key: 'demo', name: 'Demo', runtime: 'command', command: 'demo' }],
  })
  const call: RestPlace['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${relay.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${made.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : null,
      text,
    }
  }
  return {
    relay,
    ...made,
    agentId: made.agents[0]?.id ?? '',
    call,
    tokenFor: async (scopes) =>
      (await call('POST', '/api/v1/tokens', { name: scopes.join(' '), scopes })).body.secret,
    other: () => relay.setup({ organization: 'other', userName: 'Bob', wantToken: true }),
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  }
}
