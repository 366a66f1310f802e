import {
  countGithubDeliveries,
  findGithubSetup,
  findGithubVerdicts,
  type GithubAppRow,
  insertGithubApp,
  insertGithubSetup,
  listGithubApps,
  removeGithubApp,
} from '@baton/db'
import {
  BatonError,
  type GithubAppView,
  type GithubCheck,
  type GithubInstallationView,
  type GithubRepositoryView,
  type GithubSetupView,
  isId,
  type OrganizationId,
  toId,
} from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { checkApp } from '../github/check-app.ts'
import { apiUrlOf } from '../github/manifest.ts'
import { readFailure } from '../github/read-failure.ts'
import {
  type InstallationAnswer,
  type RepositoryAnswer,
  toInstallation,
  toRepository,
} from '../github/to-github-views.ts'
import { hashSecret, newSecret } from '../secrets/hash-secret.ts'
import { sealSecret } from '../secrets/seal.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { byId } from './inputs.ts'
import type { Principal } from './principal.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'
import { unlessTaken } from './unique.ts'

type Caller = ApiContext & { principal: Extract<Principal, { kind: 'user' }> }

const SETUP_LIFE_MS = 3_600_000
/** Under the limit of a call, so that what failed is said. */
const ANSWER_WITHIN_MS = 4_500

const webUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text).origin)
  .default('https://github.com')

/** Connecting and removing Apps hands out or ends power over repositories. */
const adminProcedure = memberProcedure.use(({ next, ctx }) => {
  if (ctx.principal.role !== 'owner' && ctx.principal.role !== 'admin') {
    throw new BatonError('forbidden', 'Only owners and admins connect GitHub Apps; ask one of them.')
  }
  return next({ ctx })
})

export const githubRouter = router({
  list: userProcedure.query(({ ctx }) => listViews(ctx)),

  /** A page to open in a browser, which makes the App on GitHub and connects it. */
  beginSetup: adminProcedure
    .input(
      z.object({
        webUrl,
        /** GitHub's organization that will own the App; left out: the person who opens the page. */
        owner: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,39}$/, 'give the name of an organization on GitHub')
          .nullish(),
        name: z.string().trim().min(1).max(34).optional(),
      }),
    )
    .mutation(async ({ ctx, input }): Promise<GithubSetupView> => {
      const id = toId('githubSetup', uuidv7())
      const state = newSecret('ghst')
      const { expiresAt } = await insertGithubSetup(ctx.connection.db, {
        id,
        organizationId: ctx.principal.organizationId,
        stateHash: hashSecret(state),
        apiUrl: apiUrlOf(input.webUrl),
        webUrl: input.webUrl,
        owner: input.owner ?? null,
        appName: input.name ?? `baton-${uuidv7().slice(-8)}`,
        lifeMs: SETUP_LIFE_MS,
      })
      return { id, url: `${ctx.config.publicUrl}/github/setup?state=${state}`, expiresAt, app: null }
    }),

  /** How a set-up stands; `url` is empty because it holds a secret that is not kept. */
  setup: userProcedure.input(byId).query(async ({ ctx, input }): Promise<GithubSetupView> => {
    const setup = found(
      await findGithubSetup(ctx.connection.db, ctx.principal.organizationId, input.id),
      'GitHub set-up',
      input.id,
    )
    const app = (await listViews(ctx)).find((one) => one.id === setup.app_id) ?? null
    return { id: setup.id, url: '', expiresAt: setup.expires_at.getTime(), app }
  }),

  /** Connects an App that exists: GitHub is asked with its key first. */
  register: adminProcedure
    .input(
      z.object({
        webUrl,
        appId: z.number().int().positive(),
        privateKey: z
          .string()
          .min(100)
          .max(10_000)
          .regex(/^-----BEGIN (RSA )?PRIVATE KEY-----/, 'give the PEM file that GitHub made'),
        webhookSecret: z.string().min(24, 'use at least 24 characters').max(500),
      }),
    )
    .mutation(({ ctx, input }) => register(ctx, input)),

  /** What triggers and effects came of one event, and why not. */
  verdicts: userProcedure
    .input(byId)
    .query(async ({ ctx, input }) =>
      found(
        isId('event', input.id)
          ? await findGithubVerdicts(ctx.connection.db, ctx.principal.organizationId, input.id)
          : null,
        'event of GitHub',
        input.id,
      ),
    ),

  installations: userProcedure
    .input(byId)
    .query(async ({ ctx, input }): Promise<GithubInstallationView[]> => {
      const app = await getApp(ctx, input.id)
      const call = await ctx.github.api.asApp(app)
      const { data } = await asking(
        ctx,
        call<InstallationAnswer[]>('GET /app/installations', { per_page: 100 }),
      )
      return data.map(toInstallation)
    }),

  repositories: userProcedure
    .input(
      byId.extend({
        installationId: z.number().int().positive(),
        page: z.number().int().min(1).max(1_000).default(1),
      }),
    )
    .query(
      async ({
        ctx,
        input,
      }): Promise<{ items: GithubRepositoryView[]; total: number; nextPage: number | null }> => {
        const app = await getApp(ctx, input.id)
        const call = await asking(ctx, ctx.github.api.asWholeInstallation(app, input.installationId))
        const { data } = await asking(
          ctx,
          call<{ total_count: number; repositories: RepositoryAnswer[] }>('GET /installation/repositories', {
            per_page: 100,
            page: input.page,
          }),
        )
        const isMore = input.page * 100 < data.total_count
        return {
          items: data.repositories.map(toRepository),
          total: data.total_count,
          nextPage: isMore ? input.page + 1 : null,
        }
      },
    ),

  /** Looks at everything that can be wrong between GitHub and here. */
  doctor: userProcedure.input(byId).query(async ({ ctx, input }): Promise<GithubCheck[]> => {
    ctx.github.apps.forget()
    const app = await getApp(ctx, input.id)
    const call = await ctx.github.api.asApp(app)
    return asking(ctx, checkApp(call, app, ctx.config.publicUrl, ctx.now()))
  }),

  /** Looks for missed deliveries now and asks GitHub to send them again. */
  redeliver: memberProcedure.input(byId).mutation(async ({ ctx, input }): Promise<GithubAppView> => {
    const app = await getApp(ctx, input.id)
    if (!(await asking(ctx, ctx.github.reconciler.lookNow(app.id)))) {
      throw new BatonError(
        'conflict',
        'Missed deliveries are being looked for right now. Ask again in a minute.',
      )
    }
    return getView(ctx, app.id)
  }),

  /** Its keys are deleted here. The App itself stays on GitHub until it is deleted there. */
  remove: adminProcedure
    .input(byId)
    .mutation(async ({ ctx, input }): Promise<{ id: string; settingsUrl: string }> => {
      const app = await getApp(ctx, input.id)
      found(
        (await removeGithubApp(ctx.connection.db, ctx.principal.organizationId, app.id)) || null,
        'GitHub App',
        app.id,
      )
      changed(ctx, app.id)
      return { id: app.id, settingsUrl: settingsUrlOf(app) }
    }),
})

async function register(
  ctx: Caller,
  input: { webUrl: string; appId: number; privateKey: string; webhookSecret: string },
): Promise<GithubAppView> {
  const id = toId('githubApp', uuidv7())
  const seal = (secret: string) => sealSecret(ctx.keys.seal, id, secret)
  const sealedPrivateKey = seal(input.privateKey)
  const apiUrl = apiUrlOf(input.webUrl)
  const call = await ctx.github.api.asApp({
    id,
    app_id: input.appId,
    api_url: apiUrl,
    sealed_private_key: sealedPrivateKey,
  } as GithubAppRow)
  const { data } = await asking(
    ctx,
    call<{ id: number; slug: string; name: string; html_url: string; client_id?: string }>('GET /app'),
  ).catch((error: unknown) => {
    ctx.github.api.forget(id)
    throw error
  })
  await unlessTaken('GitHub App', data.slug, () =>
    insertGithubApp(ctx.connection.db, ctx.principal.organizationId, {
      id,
      appId: data.id,
      slug: data.slug,
      name: data.name,
      apiUrl,
      webUrl: input.webUrl,
      htmlUrl: data.html_url,
      clientId: data.client_id ?? null,
      sealedPrivateKey,
      sealedWebhookSecret: seal(input.webhookSecret),
      sealedClientSecret: null,
    }),
  )
  changed(ctx, id)
  return getView(ctx, id)
}

/** An App of the caller's organization by its id here, its slug, or GitHub's number. */
async function getApp(ctx: Caller, idOrSlug: string) {
  const apps = (await ctx.github.apps.list()).filter(
    (app) => app.organization_id === ctx.principal.organizationId,
  )
  const app = apps.find(
    (one) => one.id === idOrSlug || one.slug === idOrSlug || String(one.app_id) === idOrSlug,
  )
  return found(app, 'GitHub App', idOrSlug)
}

async function getView(ctx: Caller, id: string): Promise<GithubAppView> {
  return found(
    (await listViews(ctx)).find((one) => one.id === id),
    'GitHub App',
    id,
  )
}

async function listViews(ctx: {
  connection: ApiContext['connection']
  principal: { organizationId: OrganizationId }
}) {
  const { organizationId } = ctx.principal
  const [rows, counts] = await Promise.all([
    listGithubApps(ctx.connection.db, { organizationId }),
    countGithubDeliveries(ctx.connection.db, organizationId),
  ])
  return rows.map(
    (row): GithubAppView => ({
      id: row.id,
      appId: row.app_id,
      slug: row.slug,
      name: row.name,
      webUrl: row.web_url,
      apiUrl: row.api_url,
      settingsUrl: settingsUrlOf(row),
      installUrl: `${row.html_url}/installations/new`,
      createdAt: row.created_at.getTime(),
      lastDeliveryAt: row.last_delivery_at?.getTime() ?? null,
      deliveries: counts.get(row.id) ?? { day: 0, waiting: 0 },
      reconciliation: row.reconciliation,
    }),
  )
}

const settingsUrlOf = (app: { web_url: string; slug: string }) => `${app.web_url}/settings/apps/${app.slug}`

function changed(ctx: Caller, id: string) {
  ctx.github.api.forget(id)
  ctx.github.wake()
  ctx.hints.send('config', id)
}

/** What GitHub says no to becomes a sentence, and what it does not answer to soon enough, too. */
async function asking<T>(ctx: ApiContext, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new BatonError('timeout', 'GitHub did not answer in time. Try again in a moment.')),
    ANSWER_WITHIN_MS,
  )
  try {
    return await Promise.race([answer, late.promise])
  } catch (error) {
    if (error instanceof BatonError) throw error
    const { kind, why } = readFailure(error, ctx.now())
    throw new BatonError(kind === 'refused' ? 'conflict' : 'unavailable', `${why} Nothing was changed.`, {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}
