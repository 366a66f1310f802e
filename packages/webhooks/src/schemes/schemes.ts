import type { Scheme, SignatureScheme } from '../verification.ts'
import { baton } from './baton.ts'
import { bearer } from './bearer.ts'
import { github } from './github.ts'
import { lark } from './lark.ts'
import { slack } from './slack.ts'
import { standard } from './standard.ts'
import { stripe } from './stripe.ts'

/** A new name in `Scheme` does not compile until it stands here. */
export const schemes: Record<Scheme, SignatureScheme> = {
  github,
  standard,
  slack,
  stripe,
  lark,
  baton,
  bearer,
}

/** Every scheme name, for forms, option lists and tests. */
export const schemeNames = Object.keys(schemes) as Scheme[]
