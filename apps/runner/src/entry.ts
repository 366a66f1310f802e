import { fileURLToPath } from 'node:url'

export const isBundle = !import.meta.url.endsWith('.ts')

function program(inSource: string, inBundle: string): string {
  return fileURLToPath(new URL(isBundle ? inBundle : inSource, import.meta.url))
}

/** The programs that are started as processes of their own: from the source in a checkout, else from the bundle. */
export const entryFile = program('./main.ts', './baton.mjs')
export const supervisorFile = program('./processes/supervise-main.ts', './supervise-main.mjs')
export const chatAgentFile = program('./agents/chat/chat-agent.ts', './chat-agent.mjs')
export const demoAgentFile = program('./agents/demo/demo-agent.ts', './demo-agent.mjs')

/** The relay's command in a checkout. An installed runner has none. */
export const relayEntryFile = program('../../relay/src/main.ts', '../../relay/src/main.ts')
