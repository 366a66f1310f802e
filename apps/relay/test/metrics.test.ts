import { randomUUID } from 'node:crypto'
import type { PushedDelivery } from '@baton/protocol'
import { connectApi, connectWireRunner, eventually, leaseOf, startTestRelay, wireRun } from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { expect, test } from 'vitest'

test('an operator sees webhooks, what waits and how long, ends of runs and how fast work is taken', async () => {
  await using relay = await startTestRelay()
  const { token } = await relay.setup<{ token: string }>({ wantToken: true })
  const api = connectApi(relay.url, token)
  const { machine, key } = await api.machines.create.mutate({ name: 'laptop' })
  const agent = { machineId: machine.id, runtime: 'command', command: 'demo', workspace: 'scratch' } as const
  await api.agents.create.mutate({ key: 'demo', ...agent })
  const { secrets } = await api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'x',
    triggers: [{ kind: 'webhook', scheme: 'standard' }],
  })
  const hook = secrets[0] ?? expect.unreachable()
  const post = async (secret: string) => {
    const body = '{}'
    const headers = signRequest({
      scheme: 'standard',
      secret,
      id: `msg_${randomUUID()}`,
      timestampMs: Date.now(),
      body,
    })
    return (
      await fetch(hook.url, {
        method: 'POST',
        body,
        headers: { ...headers, 'content-type': 'application/json' },
      })
    ).status
  }
  expect(await Promise.all([post(hook.secret), post(hook.secret)])).toEqual([202, 202])
  expect(await post(`whsec_${Buffer.alloc(32).toString('base64')}`)).toBe(401)

  /** The figures of the database are at most two seconds old. */
  const shows = (...lines: (string | RegExp)[]) =>
    eventually(
      async () => {
        const text = await (await fetch(`${relay.url}/metrics`)).text()
        for (const line of lines)
          if (typeof line === 'string') expect(text).toContain(`\n${line}\n`)
          else expect(text).toMatch(line)
      },
      { timeoutMs: 15_000 },
    )
  await shows(
    'baton_hook_answers_total{status="202"} 2',
    'baton_hook_answers_total{status="401"} 1',
    'baton_hook_seconds_bucket{le="+Inf"} 2',
    'baton_hook_seconds_count 2',
    'baton_database_up 1',
    'baton_deliveries{state="pending"} 2',
    'baton_deliveries{state="running"} 0',
    'baton_oldest_pending_seconds{machine="online"} 0',
    /baton_oldest_pending_seconds\{machine="away"\} 0\.\d*[1-9]|baton_oldest_pending_seconds\{machine="away"\} [1-9]/,
    'baton_machines{state="offline"} 1',
    /baton_answers_total\{surface="trpc",status="200"\} \d+/,
  )

  await using runner = await connectWireRunner(relay.url, key)
  const taken: PushedDelivery[] = []
  runner.subscribe({ slots: 2, onPush: (push) => void taken.push(...push.deliveries), onEnd: () => {} })
  await eventually(() => expect(taken).toHaveLength(2))
  const leases = taken.map(leaseOf)
  expect(await runner.api.runner.accept.mutate({ deliveries: leases })).toMatchObject([
    { ok: true },
    { ok: true },
  ])
  const [first] = leases
  if (!first) throw new Error('Nothing was leased.')
  await runner.api.runner.start.mutate({
    sentAt: Date.now(),
    runs: [{ ...first, startedAt: Date.now(), workspace: '/tmp/w' }],
  })
  const { events, settle } = wireRun(first, [{ type: 'consumed' }])
  await runner.api.runner.append.mutate({ runId: first.runId, fence: first.fence, fromSeq: 1, events })
  for (const _ of [1, 2]) await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
  await shows(
    'baton_run_ends_total{state="succeeded"} 1',
    'baton_deliveries{state="pending"} 0',
    'baton_deliveries{state="leased"} 1',
    'baton_oldest_pending_seconds{machine="away"} 0',
    'baton_machines{state="online"} 1',
    'baton_runner_sessions 1',
    'baton_recent_deliveries 2',
    /baton_recent_delivery_seconds\{step="leased",quantile="0\.99"\} \d+\.\d+/,
  )
})
