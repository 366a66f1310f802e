import type { NewOutput } from '@baton/db'
import {
  BatonError,
  OUTPUT_KINDS,
  OUTPUT_MOMENTS,
  type OutputConfigs,
  type OutputId,
  type OutputKind,
  type OutputMoment,
  type OutputText,
  outputConfigs,
  outputText,
  USER_OUTPUT_KINDS,
  type UserOutputKind,
} from '@baton/protocol'
import { assertSecret, generateSecret } from '@baton/webhooks'
import { z } from 'zod'
import { parseTemplate } from '../jobs/render-prompt.ts'
import { assertSchema } from './check-result.ts'
import { splitSecrets } from './config-secrets.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { OutputSenders } from './output-sender.ts'
import { RESERVED_HEADERS } from './senders/webhook-sender.ts'
import { sealSecrets } from './stored-secrets.ts'
import { OUTPUT_NAMES, PATH_NAMES } from './template-names.ts'

export const outputInput = z.strictObject({
  kind: z.enum(OUTPUT_KINDS),
  on: z.enum(OUTPUT_MOMENTS).default('always'),
  config: z.record(z.string(), z.unknown()).default({}),
  text: outputText.prefault({}),
})
export type OutputInput = z.output<typeof outputInput>

export type MakeParts = {
  sealKey: Buffer
  outbound: Outbound
  senders: OutputSenders
  /** The relay has a mail server of its own. */
  hasMailServer: boolean
}

/**
 * Checks everything about an output that can be known before it is used, and takes its secrets apart. `kept` are the
 * secrets that `***` keeps. `secret` is what was generated here, to be shown once.
 */
export async function makeOutput(
  parts: MakeParts,
  id: OutputId,
  input: OutputInput,
  kept: Record<string, unknown> = {},
): Promise<{ output: NewOutput; secret: string | null }> {
  const kind = assertUserKind(input.kind, parts.senders)
  const parsed = parseConfig(kind, input.config)
  const generated = kind === 'webhook' && parsed.secret === undefined ? generateSecret('standard') : null
  const config = generated ? { ...parsed, secret: generated } : parsed
  assertText(kind, input.on, input.text)
  const { shown, secrets } = splitSecrets(kind, config, kept)
  await assertConfig(parts, kind, { ...config, ...secrets })
  return {
    output: {
      id,
      kind,
      on: input.on,
      config: shown,
      text: input.text,
      sealedSecrets: sealSecrets(parts.sealKey, id, secrets),
    },
    secret: generated,
  }
}

function assertUserKind(kind: OutputKind, senders: OutputSenders): UserOutputKind {
  if (kind === 'room' || kind === 'lark') {
    throw new BatonError(
      'bad_input',
      `Outputs to a ${kind === 'room' ? 'room' : 'Lark chat'} do not exist yet. Use ${USER_OUTPUT_KINDS.join(', ')}.`,
    )
  }
  if (!(USER_OUTPUT_KINDS as readonly OutputKind[]).includes(kind)) {
    throw new BatonError(
      'bad_input',
      `${kind} is made by the GitHub App for its own triggers. Use ${USER_OUTPUT_KINDS.join(', ')}.`,
    )
  }
  if (kind === 'github_comment' && !senders.get(kind)) {
    throw new BatonError('bad_input', 'This relay cannot comment on GitHub: it has no GitHub App.')
  }
  return kind as UserOutputKind
}

function parseConfig(kind: UserOutputKind, config: Record<string, unknown>): Record<string, unknown> {
  const parsed = outputConfigs[kind].safeParse(config)
  if (parsed.success) return parsed.data
  throw new BatonError(
    'bad_input',
    `The config of the ${kind} output is not right. ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
  )
}

function assertText(kind: UserOutputKind, on: OutputMoment, text: OutputText): void {
  if (text.subject !== null) parseTemplate(text.subject, OUTPUT_NAMES)
  if (text.body !== null) parseTemplate(text.body, OUTPUT_NAMES)
  if (text.schema !== null) assertSchema(text.schema)
  if (text.schema !== null && on !== 'success' && on !== 'always') {
    throw new BatonError(
      'bad_input',
      `A schema is for results, and an output on ${on} has none. Use it on success or always.`,
    )
  }
  if (kind === 'github_comment' && text.format === 'json') {
    throw new BatonError('bad_input', 'A comment on GitHub is Markdown or text.')
  }
}

async function assertConfig(
  parts: MakeParts,
  kind: UserOutputKind,
  config: Record<string, unknown>,
): Promise<void> {
  const check = CHECKS[kind] as ((parts: MakeParts, config: object) => Promise<string | null>) | undefined
  const problem = await check?.(parts, config)
  if (problem) throw new BatonError('bad_input', problem)
}

/** What a schema cannot say about a config: the sentence for what is wrong with it. */
const CHECKS: {
  [K in UserOutputKind]?: (parts: MakeParts, config: OutputConfigs[K]) => Promise<string | null>
} = {
  async file(_, { path }) {
    parseTemplate(path, PATH_NAMES)
    return null
  },
  async slack({ outbound }, { webhookUrl, apiUrl }) {
    const urls = [webhookUrl, apiUrl].filter((url) => url !== undefined)
    const problems = await Promise.all(urls.map((url) => outbound.check(url)))
    return problems.find((problem) => problem !== null) ?? null
  },
  async email({ outbound, hasMailServer }, { host, port }) {
    if (host !== undefined) return outbound.checkMail(host, port ?? 587)
    return hasMailServer
      ? null
      : 'This relay has no mail server of its own. Give the output a host, or ask its administrator to set BATON_SMTP_URL.'
  },
  async webhook({ outbound }, { url, secret, headers }) {
    const reserved = Object.keys(headers ?? {}).find((name) => RESERVED_HEADERS.has(name.toLowerCase()))
    if (reserved) return `The header ${reserved} is set by the relay itself. Leave it out.`
    return secretProblem(secret ?? '') ?? (await outbound.check(url))
  },
}

function secretProblem(secret: string): string | null {
  try {
    assertSecret('standard', secret)
    return null
  } catch (cause) {
    return (cause as Error).message
  }
}
