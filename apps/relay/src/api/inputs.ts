import {
  BatonError,
  isWorktreeWorkspace,
  kindOfId,
  PROMPT_BYTES,
  parseWorktreeWorkspace,
} from '@baton/protocol'
import { z } from 'zod'

export const byId = z.object({ id: z.string().min(1).max(200) })
export const pageInput = z.object({
  limit: z.number().int().min(1).max(200).default(50),
  cursor: z.string().nullish(),
})
/** Keys are what people type: short, lower case. */
export const key = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'use 1 to 63 lower-case letters, digits and dashes, beginning with a letter or digit',
  )
export const name = z.string().trim().min(1).max(100)
export const prompt = z
  .string()
  .min(1, 'write what the agent should do')
  .refine(
    (text) => Buffer.byteLength(text) <= PROMPT_BYTES,
    `keep the prompt under ${PROMPT_BYTES / 1024} KiB`,
  )
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'use 1 to 200 visible ASCII characters')
  .optional()
/** `run_…`: the run in which somebody asks for this, so that loops are seen. */
export const cause = z.string().max(200).optional()
export const workspace = z
  .string()
  .max(4096)
  .refine((path) => !path.startsWith('worktree:') || !('problem' in parseWorktreeWorkspace(path)), {
    error: ({ input }) => worktreeProblem(String(input)),
  })
  .refine(
    (path) =>
      isWorktreeWorkspace(path) ||
      path === 'scratch' ||
      path.startsWith('/') ||
      path.startsWith('~') ||
      /^[A-Za-z]:[\\/]/.test(path),
    'give an absolute folder on that machine, ~ for its home, the word scratch, or worktree:<folder or URL>',
  )

/** A cursor is the last id of the page before; another kind of id there is a mistake of the caller's. */
export function cursorOf<K extends 'delivery' | 'event'>(kind: K, cursor: string | null | undefined) {
  if (cursor === null || cursor === undefined) return undefined
  if (kindOfId(cursor) !== kind)
    throw new BatonError('bad_input', 'This cursor is not one that a list gave out.')
  return cursor as K extends 'delivery' ? `dlv_${string}` : `evt_${string}`
}

function worktreeProblem(workspace: string): string {
  const parsed = parseWorktreeWorkspace(workspace)
  return 'problem' in parsed ? `worktree: ${parsed.problem}` : ''
}
