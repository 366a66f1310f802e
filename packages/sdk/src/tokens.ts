import type { TokenScope, TokenView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

export type Tokens = {
  list(): Promise<TokenView[]>
  /** `secret` is shown only here. */
  create(input: { name: string; scopes?: TokenScope[] }): Promise<{ token: TokenView; secret: string }>
  revoke(id: string): Promise<TokenView>
}

export function createTokens(raw: Raw, call: Call): Tokens {
  return {
    list: () => call(raw.tokens.list.query()),
    create: (input) => call(raw.tokens.create.mutate(input)),
    revoke: (id) => call(raw.tokens.revoke.mutate({ id })),
  }
}
