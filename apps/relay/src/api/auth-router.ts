import { getMe, insertSignInLink, redeemSignInLink, revokeSession } from '@baton/db'
import { BatonError, type MeView, TOKEN_SCOPES, toId } from '@baton/protocol'
import { meView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { hashSecret, newSecret } from '../secrets/hash-secret.ts'
import type { ApiContext } from './context.ts'
import { comesFromOwnPages, SESSION_COOKIE } from './find-principal.ts'
import { publicProcedure, router, userProcedure } from './trpc.ts'

export const LINK_LIFETIME_MS = 10 * 60_000
const SESSION_LIFETIME_MS = 30 * 86_400_000

export const authRouter = router({
  me: userProcedure
    .meta(rest('GET /me', 'Who the token belongs to and what it may do'))
    .output(meView)
    .query(async ({ ctx }): Promise<MeView> => {
      return {
        ...(await getMe(ctx.connection.db, ctx.principal)),
        scopes: [...ctx.principal.scopes],
        relayVersion: ctx.version,
      }
    }),

  /** Uses a one-time sign-in link up and sets the session cookie. Over HTTP and from the relay's own pages only. */
  redeemLink: publicProcedure
    .input(z.object({ secret: z.string().max(200) }))
    .mutation(async ({ ctx, input }): Promise<MeView> => {
      if (ctx.socket || !comesFromOwnPages(ctx.request, ctx.config.publicUrl)) {
        throw new BatonError('forbidden', `Open the link in a browser at ${ctx.config.publicUrl}.`)
      }
      const secret = newSecret('bs')
      const session = {
        id: toId('session', uuidv7()),
        secretHash: hashSecret(secret),
        lifetimeMs: SESSION_LIFETIME_MS,
      }
      const member = await redeemSignInLink(
        ctx.connection.db,
        { secretHash: hashSecret(input.secret) },
        session,
      )
      if (!member) {
        throw new BatonError(
          'not_signed_in',
          'This link was used before or is older than ten minutes. Make a new one with `npx baton open`.',
        )
      }
      ctx.setCookie(sessionCookie(ctx, secret, SESSION_LIFETIME_MS))
      return {
        ...(await getMe(ctx.connection.db, member)),
        scopes: [...TOKEN_SCOPES],
        relayVersion: ctx.version,
      }
    }),

  /** A new one-time sign-in link for the caller. */
  createLink: userProcedure.mutation(async ({ ctx }) => {
    const secret = newSecret('bl')
    const expiresAt = await insertSignInLink(ctx.connection.db, ctx.principal, {
      id: toId('link', uuidv7()),
      secretHash: hashSecret(secret),
      lifetimeMs: LINK_LIFETIME_MS,
    })
    return { url: `${ctx.config.publicUrl}/#claim=${secret}`, expiresAt: expiresAt.getTime() }
  }),

  signOut: userProcedure.mutation(async ({ ctx }) => {
    const { credential } = ctx.principal
    if (credential.kind === 'session') {
      await revokeSession(ctx.connection.db, credential.hash)
      ctx.hints.send('revoked', credential.hash)
    }
    ctx.setCookie(sessionCookie(ctx, '', 0))
  }),
})

function sessionCookie(ctx: ApiContext, value: string, lifetimeMs: number): string {
  const secure = ctx.config.publicUrl.startsWith('https:') ? '; Secure' : ''
  return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.round(lifetimeMs / 1000)}${secure}`
}
