/** The services that the chat runtime calls. `openai-compatible` is any server with the Chat Completions API. */
export type ChatService = 'anthropic' | 'openai' | 'google' | 'openai-compatible'

/** Where a model is. `baseUrl` has no slash at its end; `keyName` is the environment variable with its key. */
export type ChatModel = { service: ChatService; baseUrl: string; model: string; keyName: string }

type Named = { baseUrl: string; baseUrlName: string; keyName: string }
const NAMED: Record<Exclude<ChatService, 'openai-compatible'>, Named> = {
  anthropic: {
    baseUrl: 'https://api.anthropic.com',
    baseUrlName: 'ANTHROPIC_BASE_URL',
    keyName: 'ANTHROPIC_API_KEY',
  },
  openai: { baseUrl: 'https://api.openai.com/v1', baseUrlName: 'OPENAI_BASE_URL', keyName: 'OPENAI_API_KEY' },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com',
    baseUrlName: 'GOOGLE_GEMINI_BASE_URL',
    keyName: 'GEMINI_API_KEY',
  },
}
/** The key of an OpenAI-compatible server, where it wants one: no other service's key is ever sent to it. */
export const COMPATIBLE_KEY = 'CHAT_API_KEY'
export const CHAT_KEY_NAMES = [...Object.values(NAMED).map((one) => one.keyName), COMPATIBLE_KEY]
const FORMS = 'anthropic/<model>, openai/<model>, google/<model> or openai-compatible:<URL>#<model>'

/**
 * What an agent's model text means: `anthropic/claude-…`, `openai/gpt-…`, `google/gemini-…`, or
 * `openai-compatible:https://host/v1#model` where the machine's owner allows that host, so that whoever writes the text
 * cannot send anything to a server of his own. The environment's base URLs are the owner's and count as they stand.
 */
export function parseChatModel(
  text: string | null,
  environment: Readonly<Record<string, string | undefined>>,
  allowedHosts: readonly string[],
): ChatModel | { problem: string } {
  if (text === null) return { problem: `A chat agent needs a model: ${FORMS}.` }
  const compatible = /^openai-compatible:([^#]+)#(\S{1,200})$/.exec(text)
  if (compatible) return compatibleModel(compatible[1] ?? '', compatible[2] ?? '', allowedHosts)
  const [, service = '', model = ''] = /^(anthropic|openai|google)\/([\w.:@/-]{1,200})$/.exec(text) ?? []
  const named = Object.hasOwn(NAMED, service) ? NAMED[service as keyof typeof NAMED] : undefined
  if (named === undefined)
    return { problem: `"${text.slice(0, 80)}" is no model of a chat agent: give ${FORMS}.` }
  const baseUrl = (environment[named.baseUrlName] ?? named.baseUrl).replace(/\/+$/, '')
  return { service: service as ChatService, baseUrl, model, keyName: named.keyName }
}

function compatibleModel(
  address: string,
  model: string,
  allowedHosts: readonly string[],
): ChatModel | { problem: string } {
  const url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '') {
    return { problem: `"${address.slice(0, 80)}" is no plain address of a server.` }
  }
  if (!allowedHosts.includes(url.host)) {
    const known = allowedHosts.join(', ') || 'none'
    const what = `This machine's policy lets chat agents call no server at ${url.host}`
    return {
      problem: `${what} (chatHosts: ${known}). Add it to "chatHosts" in policy.json there if it should.`,
    }
  }
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) {
    return { problem: `${url.host} is called over https only.` }
  }
  const baseUrl = `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  return { service: 'openai-compatible', baseUrl, model, keyName: COMPATIBLE_KEY }
}
