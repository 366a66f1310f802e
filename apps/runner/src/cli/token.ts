import { BatonError, TOKEN_SCOPES, type TokenScope } from '@baton/protocol'
import { confirm } from './confirm.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

export async function createToken(
  session: Session,
  [name = '']: string[],
  options: { scopes?: string },
): Promise<void> {
  const scopes = options.scopes?.split(',').map(readScope)
  const baton = await session.baton()
  const { token, secret } = await baton.tokens.create({ name, ...(scopes && { scopes }) })
  session.print({ token, secret }, () => secret)
  session.note('Keep it: it is not shown again. Use it as BATON_TOKEN.')
}

export async function listTokens(session: Session): Promise<void> {
  const baton = await session.baton()
  const tokens = await baton.tokens.list()
  session.print({ items: tokens }, () =>
    table(
      ['id', 'name', 'may', 'last used', ''],
      tokens.map((one) => [
        one.id,
        one.name,
        one.scopes.join(','),
        ago(one.lastUsedAt),
        one.revokedAt ? 'revoked' : '',
      ]),
      session.out,
    ),
  )
}

export async function revokeToken(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  await confirm(session, `Revoke the token ${id}? Whoever uses it is refused at once.`)
  const token = await baton.tokens.revoke(id)
  session.print(token ?? { id }, () => `${id} is revoked.`)
}

function readScope(text: string): TokenScope {
  const scope = TOKEN_SCOPES.find((one) => one === text.trim())
  if (scope) return scope
  throw new BatonError('bad_input', `--scopes ${text}: choose from ${TOKEN_SCOPES.join(', ')}.`)
}
