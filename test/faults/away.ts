import { setTimeout as wait } from 'node:timers/promises'
import type { PushedDelivery } from '@baton/protocol'
import { Baton } from '@baton/sdk'
import {
  connectWireRunner,
  eventually,
  leaseOf,
  startTestRelay,
  type TestRelay,
  type WireRunner,
  wireRun,
} from '@baton/testkit'

export type AwayFindings = {
  /** From the start of a runner that had accepted and was killed to the push of that delivery to its successor, ms. */
  restartMs: number[]
  /** From the death of a machine to the push of what it had accepted to another machine that a person chose, ms. */
  deadMs: number | null
  /** The end of a run whose relay stood still for longer than its lease, and how often it was accepted. */
  stopped: { result: string; state: string; settled: number } | null
}

/**
 * How soon work can go on after a runner, a machine or a relay was away. `long` adds what lasts longer than a lease: a
 * machine that does not come back, and a relay that is stopped (SIGSTOP) while its runner works.
 */
export async function runAway({
  databaseUrl,
  restarts,
  long,
}: {
  databaseUrl: string
  restarts: number
  long: boolean
}): Promise<AwayFindings> {
  await using relay = await startTestRelay({ databaseUrl })
  const { token } = await relay.setup<{ token: string }>({ wantToken: true })
  await using baton = new Baton({ url: relay.url, token })
  const [first, second] = [await makeMachine(baton, 'first'), await makeMachine(baton, 'second')]
  const restartMs: number[] = []
  for (let restart = 0; restart < restarts; restart++) restartMs.push(await restartOnce(relay, baton, first))
  if (!long) return { restartMs, deadMs: null, stopped: null }
  return {
    restartMs,
    deadMs: await loseMachine(relay, baton, first, second),
    stopped: await stopRelay(relay, baton, databaseUrl, second),
  }
}

type Machine = { key: string; agent: string; starts: number }

async function makeMachine({ raw }: Baton, name: string): Promise<Machine> {
  const { machine, key } = await raw.machines.create.mutate({ name })
  await raw.agents.create.mutate({ key: name, machineId: machine.id, runtime: 'command', command: 'demo' })
  return { key, agent: name, starts: 0 }
}

/** The next process of this machine's runner, which holds nothing, and the first delivery that it gets. */
async function startRunner(
  url: string,
  machine: Machine,
): Promise<{ runner: WireRunner; pushed: Promise<PushedDelivery> }> {
  const instanceId = `install-${machine.agent}.${++machine.starts}`
  const runner = await connectWireRunner(url, machine.key, { instanceId })
  const pushed = Promise.withResolvers<PushedDelivery>()
  runner.subscribe({ slots: 1, onPush: ({ deliveries: [one] }) => one && pushed.resolve(one) })
  return { runner, pushed: pushed.promise }
}

/** A run that a machine has accepted, with the session in which it did. */
async function acceptOne(url: string, { raw }: Baton, machine: Machine) {
  const { runner, pushed } = await startRunner(url, machine)
  const { deliveryId } = await raw.runs.create.mutate({ prompt: 'Look.', agent: machine.agent })
  const delivery = await pushed
  if (delivery.deliveryId !== deliveryId) throw new Error('Another delivery was pushed.')
  const [answer] = await runner.api.runner.accept.mutate({ deliveries: [leaseOf(delivery)] })
  if (!answer?.ok) throw new Error('The lease was lost.')
  return { runner, delivery }
}

async function finish(runner: WireRunner, delivery: PushedDelivery): Promise<string> {
  const { settle } = wireRun(leaseOf(delivery), [])
  const [answer] = await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
  return answer?.result ?? 'nothing'
}

async function restartOnce(relay: TestRelay, baton: Baton, machine: Machine): Promise<number> {
  const { runner, delivery } = await acceptOne(relay.url, baton, machine)
  await runner.close()
  const startedAt = performance.now()
  const next = await startRunner(relay.url, machine)
  const again = await next.pushed
  const tookMs = performance.now() - startedAt
  if (again.deliveryId !== delivery.deliveryId || again.fence <= delivery.fence)
    throw new Error('It was not leased again under a newer fence.')
  await next.runner.api.runner.accept.mutate({ deliveries: [leaseOf(again)] })
  await finish(next.runner, again)
  await next.runner.close()
  return tookMs
}

async function loseMachine(relay: TestRelay, baton: Baton, dead: Machine, other: Machine): Promise<number> {
  const { runner, delivery } = await acceptOne(relay.url, baton, dead)
  const successor = await startRunner(relay.url, other)
  await runner.close()
  const startedAt = performance.now()
  await eventually(
    async () => {
      const { deliveryState } = await baton.raw.runs.get.query({ id: delivery.deliveryId })
      if (deliveryState !== 'pending') throw new Error(`It is ${deliveryState}.`)
    },
    { timeoutMs: 40_000, everyMs: 100 },
  )
  await baton.raw.runs.move.mutate({ id: delivery.deliveryId, agent: other.agent })
  const again = await successor.pushed
  const tookMs = performance.now() - startedAt
  await successor.runner.api.runner.accept.mutate({ deliveries: [leaseOf(again)] })
  await finish(successor.runner, again)
  await successor.runner.close()
  return tookMs
}

const LONGER_THAN_A_LEASE_MS = 36_000

/** Another relay on the same database sweeps meanwhile. */
async function stopRelay(relay: TestRelay, baton: Baton, databaseUrl: string, machine: Machine) {
  await using other = await startTestRelay({ databaseUrl })
  const { runner, delivery } = await acceptOne(relay.url, baton, machine)
  const lease = leaseOf(delivery)
  const begun = { ...lease, startedAt: Date.now(), workspace: '/tmp' }
  await runner.api.runner.start.mutate({ sentAt: Date.now(), runs: [begun] })
  process.kill(relay.pid, 'SIGSTOP')
  await wait(LONGER_THAN_A_LEASE_MS)
  process.kill(relay.pid, 'SIGCONT')
  const answers = [await finish(runner, delivery), await finish(runner, delivery)]
  const { state } = await baton.raw.runs.get.query({ id: delivery.runId })
  await runner.close()
  await other.kill('SIGTERM')
  return {
    result: answers.join(', '),
    state: state ?? 'none',
    settled: answers.filter((answer) => answer === 'settled').length,
  }
}
