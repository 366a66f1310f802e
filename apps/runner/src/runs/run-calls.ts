import { BatonError, type ControlAnswer, type SettleReport } from '@baton/protocol'
import { createBatcher } from '@baton/service'
import type { Connection } from '../connection/connection.ts'
import type { RunCalls } from './run-context.ts'

/** Settles carry results of up to some hundred KiB; together they stay under the socket's limit for a message. */
const SETTLE_BYTES = 400 * 1024

/** The calls of runs over one connection. Those made at the same moment go together, each gets its own answer. */
export function createRunCalls(connection: Connection): RunCalls {
  const accept = createBatcher({
    flush: async (deliveries: Parameters<RunCalls['accept']>[0][]) =>
      inOrder(deliveries, await connection.call('accept', { deliveries })),
  })
  const start = createBatcher({
    flush: async (runs: Parameters<RunCalls['start']>[0][]) =>
      inOrder(runs, await connection.call('start', { sentAt: Date.now(), runs })),
  })
  const refuse = createBatcher({
    flush: async (deliveries: Parameters<RunCalls['refuse']>[0][]) =>
      inOrder(deliveries, await connection.call('refuse', { deliveries })),
    maxItems: 100,
  })
  const settle = createBatcher({
    flush: async (runs: SettleReport[]) =>
      inOrder(runs, await connection.call('settle', { sentAt: Date.now(), runs })),
    maxItems: 100,
    maxBytes: SETTLE_BYTES,
    sizeOf: (report) => Buffer.byteLength(JSON.stringify(report)),
  })
  const acknowledge = createBatcher({
    flush: async (controls: ControlAnswer[]) => {
      await connection.call('acknowledge', { controls })
      return controls
    },
    maxItems: 100,
  })
  return {
    acknowledge: (item) => acknowledge.add(item),
    accept: (item) => accept.add(item),
    start: (item) => start.add(item),
    refuse: (item) => refuse.add(item),
    settle: (item) => settle.add(item),
    append: (input) => connection.call('append', input),
    secrets: (run) => connection.call('secrets', run),
    skills: (run) => connection.call('skills', run),
    githubToken: (lease) => connection.call('githubToken', lease),
    githubPushed: (push) => connection.call('githubPushed', push),
  }
}

function inOrder<Out extends { deliveryId: string }>(asked: { deliveryId: string }[], answers: Out[]): Out[] {
  const byDelivery = new Map(answers.map((answer) => [answer.deliveryId, answer]))
  return asked.map(({ deliveryId }) => {
    const answer = byDelivery.get(deliveryId)
    if (!answer) throw new BatonError('internal', `The relay's answer leaves out delivery ${deliveryId}`)
    return answer
  })
}
