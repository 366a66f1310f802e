import { z } from 'zod'
import { jobId, triggerId } from './ids.ts'
import { fileChangeConfig, watchState } from './triggers.ts'

/** The folders that a machine's runner watches. The runner keeps them on its disk, so that it watches without a relay. */
export const watchOrder = fileChangeConfig.extend({ triggerId, jobId })
export type WatchOrder = z.infer<typeof watchOrder>
export const watchOrders = z.object({
  /** Changes with every change of the list; empty for an empty list. */
  version: z.string().max(100),
  watches: z.array(watchOrder).max(1_000),
})
export type WatchOrders = z.infer<typeof watchOrders>

const text = (max: number) =>
  z.string().transform((value) => value.toWellFormed().replaceAll('\0', '\uFFFD').slice(0, max))

/** Paths in one event; more are counted and `overflow` says so. */
export const CHANGED_PATHS = 1_000
export const fileChanges = z.object({
  changes: z.object({
    folder: text(4_096),
    /** Below the folder, with slashes; what was created, changed or deleted. */
    paths: z.array(text(4_096)).max(CHANGED_PATHS),
    count: z.number().int().nonnegative(),
    /** Not all paths are known: there were too many, or the system lost count of them. */
    overflow: z.boolean(),
    /** Some of it changed while no runner was there to see it, and was found at its start. */
    missed: z.boolean().optional(),
  }),
})
export type FileChanges = z.infer<typeof fileChanges>

const oid = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'give a commit id')
export const gitPush = z.object({
  push: z.object({
    hook: z.enum(['pre-push', 'post-receive']),
    branch: text(500),
    ref: text(500),
    before: oid,
    after: oid,
    /** The newest first, at most 50. */
    commits: z.array(z.object({ id: oid, subject: text(500), author: text(200) })).max(50),
    repository: text(500),
    remote: text(1_000).nullable(),
  }),
})
export type GitPush = z.infer<typeof gitPush>

/** What happened on a machine that fires a trigger. `key` is the same however often it is sent. */
export const machineFire = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('file_change'),
    triggerId,
    key: z.string().regex(/^[\w:.-]{8,200}$/),
    payload: fileChanges,
    cause: z.string().max(200).nullish(),
  }),
  z.object({
    kind: z.literal('git_push'),
    triggerId,
    key: z.string().regex(/^[\w:.-]{8,200}$/),
    payload: gitPush,
    cause: z.string().max(200).nullish(),
  }),
])
export type MachineFire = z.infer<typeof machineFire>

export const fireRequest = z.object({
  /** Each is parsed alone, so that one that is not right does not hold up the others. */
  fires: z.array(z.custom<MachineFire>()).max(50),
  /** What has changed about the watches since they were told last. */
  watches: z.array(watchState.extend({ triggerId })).max(1_000).default([]),
})
/**
 * gone: the trigger is no more, or not this machine's; refused: it can never be stored. Both are to be forgotten. later:
 * it was not stored now, and is to be told again.
 */
export const fireAnswer = z.object({
  key: z.string(),
  result: z.enum(['stored', 'gone', 'refused', 'later']),
  eventId: z.string().nullable(),
  message: z.string().nullable(),
})
export type FireAnswer = z.infer<typeof fireAnswer>
