import type { GithubAppRow } from '@baton/db'
import type { RunId } from '@baton/protocol'
import type { Logger, Service } from '@baton/service'
import type { GithubApi, Scope } from './github-api.ts'

export type RunTokens = Service & {
  make(app: GithubAppRow, runId: RunId, scope: Scope): Promise<string>
  /** Revokes every token of this run that was made here, and the one that its runner hands back from another relay. */
  end(runId: RunId, handedBack: { app: Pick<GithubAppRow, 'api_url'>; token: string } | null): Promise<void>
}

/** A push takes seconds; a token whose runner was never heard of again is revoked then, and GitHub ends it after an hour. */
const LONGEST_MS = 20 * 60_000

/** Tokens that runs hold, in memory only. A runner hands its token back, so a relay that was restarted revokes it, too. */
export function createRunTokens(api: GithubApi, log: Logger): RunTokens {
  type Held = { app: Pick<GithubAppRow, 'api_url'>; token: string; timer: NodeJS.Timeout }
  const held = new Map<RunId, Held[]>()

  async function revoke({ app, token, timer }: Omit<Held, 'timer'> & { timer?: NodeJS.Timeout }) {
    clearTimeout(timer)
    await api.revoke(app, token).catch((error: unknown) => {
      log.warn(
        { status: (error as { status?: number }).status },
        'a token of a run could not be revoked; GitHub ends it within the hour',
      )
    })
  }

  const end: RunTokens['end'] = async (runId, handedBack) => {
    const own = held.get(runId) ?? []
    held.delete(runId)
    await Promise.all(own.map(revoke))
    if (handedBack && !own.some((one) => one.token === handedBack.token)) await revoke(handedBack)
  }

  return {
    async make(app, runId, scope) {
      const token = await api.makeToken(app, scope)
      const timer = setTimeout(() => void end(runId, null), LONGEST_MS)
      held.set(runId, [...(held.get(runId) ?? []), { app, token, timer }])
      return token
    },
    end,
    start: async () => {},
    async stop() {
      await Promise.all([...held.keys()].map((runId) => end(runId, null)))
    },
  }
}
