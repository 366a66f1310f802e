import {
  type acceptRequest,
  type acknowledgeRequest,
  appendAnswer,
  type appendRequest,
  fireAnswer,
  type fireRequest,
  type githubPushedRequest,
  githubPushGrant,
  type githubTokenRequest,
  type goodbyeRequest,
  helloAnswer,
  leaseAnswer,
  type offerRequest,
  type pullRequest,
  type refuseRequest,
  renewAnswer,
  type renewRequest,
  type reportOrdersRequest,
  type runnerHello,
  runnerPush,
  secretsAnswer,
  type secretsRequest,
  settleAnswer,
  type settleRequest,
  skillsAnswer,
  type skillsRequest,
  type startRequest,
  type undoneRequest,
} from '@baton/protocol'
import { z } from 'zod'

/** What each call of the relay answers. An answer of another shape comes from something that is not the relay. */
export const CALL_ANSWERS = {
  hello: helloAnswer,
  accept: z.array(leaseAnswer),
  start: z.array(leaseAnswer),
  renew: z.array(renewAnswer),
  refuse: z.array(leaseAnswer),
  append: appendAnswer,
  settle: z.array(settleAnswer),
  secrets: secretsAnswer,
  skills: skillsAnswer,
  acknowledge: z.unknown(),
  reportOrders: z.unknown(),
  fire: z.array(fireAnswer),
  undone: z.unknown(),
  githubToken: githubPushGrant,
  githubPushed: z.unknown(),
  offer: z.unknown(),
  goodbye: z.unknown(),
  pull: runnerPush,
}

export type CallInputs = {
  hello: z.input<typeof runnerHello>
  accept: z.input<typeof acceptRequest>
  start: z.input<typeof startRequest>
  renew: z.input<typeof renewRequest>
  refuse: z.input<typeof refuseRequest>
  append: z.input<typeof appendRequest>
  settle: z.input<typeof settleRequest>
  secrets: z.input<typeof secretsRequest>
  skills: z.input<typeof skillsRequest>
  acknowledge: z.input<typeof acknowledgeRequest>
  reportOrders: z.input<typeof reportOrdersRequest>
  fire: z.input<typeof fireRequest>
  undone: z.input<typeof undoneRequest>
  githubToken: z.input<typeof githubTokenRequest>
  githubPushed: z.input<typeof githubPushedRequest>
  offer: z.input<typeof offerRequest>
  goodbye: z.input<typeof goodbyeRequest>
  pull: z.input<typeof pullRequest>
}

export type CallName = keyof CallInputs
export type CallAnswer<K extends CallName> = z.output<(typeof CALL_ANSWERS)[K]>

/** Every call ends within this time, answered or not. Output may be slow on a thin line; everything else is small. */
export const CALL_LIMIT_MS: Record<CallName, number> = {
  hello: 10_000,
  accept: 5_000,
  start: 5_000,
  renew: 5_000,
  refuse: 5_000,
  append: 20_000,
  settle: 10_000,
  secrets: 5_000,
  skills: 10_000,
  acknowledge: 5_000,
  reportOrders: 5_000,
  fire: 10_000,
  undone: 10_000,
  githubToken: 20_000,
  githubPushed: 20_000,
  offer: 5_000,
  goodbye: 2_000,
  pull: 35_000,
}
