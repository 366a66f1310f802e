import { findOutput, insertOutputs, listOutputViews, type StoredOutput, updateOutput } from '@baton/db'
import {
  isId,
  OUTPUT_MOMENTS,
  type OutputId,
  type OutputTest,
  type OutputView,
  outputText,
  toId,
} from '@baton/protocol'
import { outputTest, outputView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { type MakeParts, makeOutput, type OutputInput, outputInput } from '../outputs/make-output.ts'
import { openSecrets } from '../outputs/stored-secrets.ts'
import { testOutput } from '../outputs/test-output.ts'
import { rest } from '../rest/rest-place.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { type Caller, getJob } from './get-job.ts'
import { byId } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

export const makePartsOf = (ctx: ApiContext): MakeParts => ({
  sealKey: ctx.keys.seal,
  outbound: ctx.outbound,
  senders: ctx.senders,
  hasMailServer: ctx.config.mailServer !== null,
})

/** Checks several at once, for a job that is made with them; the first that is not right is named. */
export async function makeOutputs(ctx: ApiContext, inputs: OutputInput[]) {
  const made: Awaited<ReturnType<typeof makeOutput>>[] = []
  for (const input of inputs) made.push(await makeOutput(makePartsOf(ctx), toId('output', uuidv7()), input))
  return made
}

export type ShownOutputSecret = { outputId: OutputId; secret: string }
export const shownSecrets = (
  made: { output: { id: OutputId }; secret: string | null }[],
): ShownOutputSecret[] =>
  made.flatMap(({ output, secret }) => (secret === null ? [] : [{ outputId: output.id, secret }]))

/** Where the results of jobs go. Secrets go in and never come out: `***` stands for one, and keeps it when sent back. */
export const outputsRouter = router({
  /** Of one job (id or key), or of all. */
  list: userProcedure
    .meta(rest('GET /outputs', 'Outputs of one job or of all'))
    .input(z.object({ job: z.string().max(200).optional() }).default({}))
    .output(z.array(outputView))
    .query(async ({ ctx, input }): Promise<OutputView[]> => {
      const jobId = input.job === undefined ? undefined : (await getJob(ctx, input.job)).id
      return listOutputViews(ctx.connection.db, ctx.principal.organizationId, { jobId })
    }),

  get: userProcedure
    .meta(rest('GET /outputs/{id}', 'One output'))
    .input(byId)
    .output(outputView)
    .query(async ({ ctx, input }) => viewOf(ctx, (await getOutput(ctx, input.id)).id)),

  /** `secret` is the signing secret of a webhook that was generated here; it is in this answer and nowhere else. */
  create: memberProcedure
    .meta(rest('POST /outputs', 'Add an output to a job', { created: '/outputs/{output.id}' }))
    .input(outputInput.extend({ job: z.string().max(200) }))
    .output(z.object({ output: outputView, secret: z.string().nullable() }))
    .mutation(
      async ({
        ctx,
        input: { job: jobKey, ...input },
      }): Promise<{ output: OutputView; secret: string | null }> => {
        const job = await getJob(ctx, jobKey)
        const made = await makeOutput(makePartsOf(ctx), toId('output', uuidv7()), input)
        found(
          (await insertOutputs(ctx.connection.db, ctx.principal.organizationId, job.id, [made.output])) ||
            null,
          'job',
          jobKey,
        )
        tell(ctx, job.id)
        return { output: await viewOf(ctx, made.output.id), secret: made.secret }
      },
    ),

  /** `config` replaces the whole config; `***` in it keeps a secret. */
  update: memberProcedure
    .meta(rest('PATCH /outputs/{id}', 'Change an output; *** keeps a secret'))
    .input(
      z.object({
        id: z.string().max(200),
        on: z.enum(OUTPUT_MOMENTS).optional(),
        config: z.record(z.string(), z.unknown()).optional(),
        text: outputText.partial().optional(),
      }),
    )
    .output(outputView)
    .mutation(async ({ ctx, input }): Promise<OutputView> => {
      const before = await getOutput(ctx, input.id)
      const text = { ...before.text, ...(input.text as Partial<StoredOutput['text']>) }
      const next = {
        kind: before.kind,
        on: input.on ?? before.on,
        config: input.config ?? before.config,
        text,
      }
      const kept = openSecrets(ctx.keys.seal, before.id, before.sealedSecrets)
      const { output } = await makeOutput(makePartsOf(ctx), before.id, next, kept)
      return apply(ctx, before, {
        on: output.on,
        config: output.config,
        text: output.text,
        sealedSecrets: output.sealedSecrets,
      })
    }),

  enable: memberProcedure
    .meta(rest('POST /outputs/{id}/enable', 'Switch an output on'))
    .input(byId)
    .output(outputView)
    .mutation(async ({ ctx, input }) => apply(ctx, await getOutput(ctx, input.id), { enabled: true })),
  disable: memberProcedure
    .meta(rest('POST /outputs/{id}/disable', 'Switch an output off'))
    .input(byId)
    .output(outputView)
    .mutation(async ({ ctx, input }) => apply(ctx, await getOutput(ctx, input.id), { enabled: false })),
  delete: memberProcedure
    .meta(rest('DELETE /outputs/{id}', 'Delete an output'))
    .input(byId)
    .output(z.void())
    .mutation(async ({ ctx, input }) => {
      const output = await getOutput(ctx, input.id)
      const change = { deleted: true as const, ifVersion: ctx.ifVersion }
      const isThere = await updateOutput(ctx.connection.db, ctx.principal.organizationId, output.id, change)
      found(isThere || null, 'output', output.id)
      tell(ctx, output.jobId)
    }),

  /** Sends a sample now and answers what came of it; nothing is stored and nothing is repeated. */
  test: memberProcedure
    .meta(rest('POST /outputs/{id}/test', 'Send a sample now'))
    .input(byId)
    .output(outputTest)
    .mutation(async ({ ctx, input }): Promise<OutputTest> => {
      const output = await getOutput(ctx, input.id)
      const { key, name } = await getJob(ctx, output.jobId)
      return testOutput(ctx, output, { key, name })
    }),
})

async function getOutput(ctx: Caller, id: string): Promise<StoredOutput> {
  const stored = isId('output', id)
    ? await findOutput(ctx.connection.db, ctx.principal.organizationId, id)
    : null
  return found(stored, 'output', id)
}

async function viewOf(ctx: Caller, id: OutputId): Promise<OutputView> {
  const [view] = await listOutputViews(ctx.connection.db, ctx.principal.organizationId, { id })
  return found(view, 'output', id)
}

async function apply(
  ctx: Caller,
  output: StoredOutput,
  change: Parameters<typeof updateOutput>[3],
): Promise<OutputView> {
  const isThere = await updateOutput(ctx.connection.db, ctx.principal.organizationId, output.id, {
    ...change,
    ifVersion: ctx.ifVersion,
  })
  found(isThere || null, 'output', output.id)
  tell(ctx, output.jobId)
  return viewOf(ctx, output.id)
}

function tell(ctx: Caller, jobId: string) {
  ctx.changes.tell(ctx.principal.organizationId, 'job', jobId)
}
