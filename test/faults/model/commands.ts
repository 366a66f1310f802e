import type fc from 'fast-check'
import { cancel, lapse, lifeEnds, lose, newSession, sleep, sweep, timePasses } from './fault-steps.ts'
import { accept, append, refuse, renew, settle, start } from './lease-steps.ts'
import { duplicate, ingest, lease, leaseKnown } from './queue-steps.ts'
import type { Step } from './step.ts'

/** Each step that exists; fast-check takes them with equal chance. */
export const allSteps: fc.Arbitrary<Step>[] = [
  [ingest, ingest, duplicate, lease, lease, lease, leaseKnown],
  [accept, accept, accept, start, start, renew, renew, append, append, settle, settle],
  [refuse, cancel, lapse, lapse, sleep, sleep, sweep, sweep, timePasses, lifeEnds, lose, newSession],
].flat()
