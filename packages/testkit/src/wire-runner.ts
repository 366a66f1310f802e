import { randomUUID } from 'node:crypto'
import {
  encodeRunEvent,
  type HeldDelivery,
  type HelloAnswer,
  type LeaseRef,
  PROTOCOL_VERSION,
  type PushedDelivery,
  type RunEventBody,
  type RunnerHello,
  type RunnerPush,
  type SettleReport,
} from '@baton/protocol'
import { transcriptHash } from '@baton/protocol/transcript-hash'
import type { AppRouter } from '@baton/relay'
import { createTRPCClient, createWSClient, httpLink, type TRPCClient, wsLink } from '@trpc/client'
import { WebSocket as WsSocket } from 'ws'
import { reportOf } from './report-of.ts'

export type WireApi = TRPCClient<AppRouter>

export interface WireRunner extends AsyncDisposable {
  api: WireApi
  machineId: string
  answer: HelloAnswer
  instanceId: string
  /** Opens a session with this many free slots; each push comes to `onPush`, its end to `onEnd`. */
  subscribe(options: {
    slots: number
    onPush: (push: RunnerPush) => void
    onEnd?: (error: unknown) => void
  }): { unsubscribe(): void }
  close(): Promise<void>
}

/**
 * Speaks the runner's side of the wire for tests and benchmarks of the relay: a real key, a real token, a real socket,
 * and nothing behind them. It reconnects only when asked to, so that a test sees every cut.
 */
export async function connectWireRunner(
  relayUrl: string,
  machineKey: string,
  options: Partial<RunnerHello> & { skipHello?: boolean } = {},
): Promise<WireRunner> {
  const { skipHello, ...hello } = options
  const http = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${relayUrl}/trpc`, headers: { authorization: `Bearer ${machineKey}` } })],
  })
  const token = await http.runner.token.mutate()
  const instanceId = hello.instanceId ?? `${randomUUID().slice(0, 8)}.1`
  const client = createWSClient({
    url: `${relayUrl.replace(/^http/, 'ws')}/trpc`,
    connectionParams: () => ({ token: token.token, protocolVersion: String(PROTOCOL_VERSION) }),
    retryDelayMs: () => 100,
    // As the runner: Node's own takes a tenth of a millisecond more for a push.
    WebSocket: WsSocket as unknown as typeof WebSocket,
  })
  const api = createTRPCClient<AppRouter>({ links: [wsLink({ client })] })
  const close = () => client.close()
  const answer = skipHello
    ? ({} as HelloAnswer)
    : await api.runner.hello
        .mutate({ ...wireHello(instanceId), ...hello, instanceId })
        .catch(async (error) => {
          await close()
          throw error
        })
  return {
    api,
    machineId: token.machineId,
    answer,
    instanceId,
    subscribe({ slots, onPush, onEnd }) {
      return api.runner.deliveries.subscribe(
        { instanceId, slots },
        {
          onData: ({ data }) => onPush(data),
          onError: (error) => onEnd?.(error),
          onComplete: () => onEnd?.(null),
        },
      )
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

export const wireHello = (instanceId: string, held: HeldDelivery[] = []): RunnerHello => ({
  instanceId,
  bootId: 'boot',
  protocolVersion: PROTOCOL_VERSION,
  runnerVersion: '0.0.0-test',
  hostname: 'test-host',
  os: 'linux',
  arch: 'x64',
  slots: 5,
  takeover: false,
  held,
  runtimes: [],
  facts: null,
})

export const leaseOf = ({ deliveryId, runId, fence }: PushedDelivery): LeaseRef => ({
  deliveryId,
  runId,
  fence,
})

/** A short transcript as a runner would send it, and its end. */
export function wireRun(lease: LeaseRef, bodies: RunEventBody[], only: Partial<SettleReport> = {}) {
  const events = bodies.map((body, index) => encodeRunEvent(1_000 + index, body))
  const finalHash = transcriptHash(lease.runId, events)
  const settle = reportOf(lease, { finalSeq: events.length, finalHash, ...only })
  return { events, settle }
}
