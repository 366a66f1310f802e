import { confirm } from './confirm.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

export async function createToken(session: Session, [name = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const { token, secret } = await baton.tokens.create({ name })
  session.print({ token, secret }, () => secret)
  session.note('Keep it: it is not shown again. Use it as BATON_TOKEN.')
}

export async function listTokens(session: Session): Promise<void> {
  const baton = await session.baton()
  const tokens = await baton.tokens.list()
  session.print({ items: tokens }, () =>
    table(
      ['id', 'name', 'last used', ''],
      tokens.map((one) => [one.id, one.name, ago(one.lastUsedAt), one.revokedAt ? 'revoked' : '']),
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
