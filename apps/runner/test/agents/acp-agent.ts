/**
 * A small agent that speaks the Agent Client Protocol and does what the lines of its prompt say: `say`, `think`, `plan`,
 * `edit <path> <text>` and `run <command>` (both ask first), `fail <code> <text>`, `stop <reason>`, `hang`, `die`, `stay`.
 * Without such a line it says how many prompts its session had. Sessions are files in its HOME.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import {
  type AgentContext,
  agent,
  methods,
  ndJsonStream,
  RequestError,
  type RequestPermissionResponse,
  type SessionUpdate,
  type StopReason,
} from '@agentclientprotocol/sdk'

const run = promisify(execFile)
const can = process.argv.includes('--resume') ? { sessionCapabilities: { resume: {} } } : {}
let cwd = process.cwd()
let cancelled = new AbortController()
let calls = 0

const fileOf = (sessionId: string) => join(process.env.HOME ?? '/', `${sessionId}.json`)
const promptsOf = async (sessionId: string): Promise<string[]> => {
  try {
    return JSON.parse(await readFile(fileOf(sessionId), 'utf8'))
  } catch {
    throw new RequestError(-32_602, `There is no session ${sessionId}.`)
  }
}

async function ask(
  client: AgentContext,
  sessionId: string,
  kind: 'edit' | 'execute',
  title: string,
  path?: string,
) {
  const toolCallId = `call_${++calls}`
  const toolCall = {
    toolCallId,
    title,
    kind,
    status: 'pending' as const,
    locations: path === undefined ? [] : [{ path: resolve(cwd, path) }],
  }
  await client.notify(methods.client.session.update, {
    sessionId,
    update: { sessionUpdate: 'tool_call', ...toolCall },
  })
  const { outcome } = await client.request<RequestPermissionResponse>(
    methods.client.session.requestPermission,
    {
      sessionId,
      toolCall,
      options: [
        { optionId: 'always', name: 'Always', kind: 'allow_always' as const },
        { optionId: 'yes', name: 'Once', kind: 'allow_once' as const },
        { optionId: 'no', name: 'No', kind: 'reject_once' as const },
      ],
    },
  )
  const mayDo = outcome.outcome === 'selected' && outcome.optionId === 'yes'
  const finish = (text: string, ok: boolean) =>
    client.notify(methods.client.session.update, {
      sessionId,
      update: {
        sessionUpdate: 'tool_call_update',
        toolCallId,
        status: ok ? 'completed' : 'failed',
        content: [{ type: 'content', content: { type: 'text', text } }],
      },
    })
  if (!mayDo) await finish('It was refused.', false)
  return { mayDo, finish }
}

async function play(client: AgentContext, sessionId: string, text: string): Promise<StopReason> {
  const update = (one: SessionUpdate) =>
    client.notify(methods.client.session.update, { sessionId, update: one })
  const chunk = (kind: 'agent_message_chunk' | 'agent_thought_chunk', words: string) =>
    update({ sessionUpdate: kind, content: { type: 'text', text: words } })
  let known = false
  for (const line of text.split('\n')) {
    const [, word = '', rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? []
    const step: Record<string, () => Promise<unknown>> = {
      say: async () => {
        for (const piece of rest.split(/(?<= )/)) await chunk('agent_message_chunk', piece)
      },
      think: () => chunk('agent_thought_chunk', rest),
      plan: () =>
        update({
          sessionUpdate: 'plan',
          entries: rest.split(',').map((content) => ({ content, priority: 'medium', status: 'pending' })),
        }),
      edit: async () => {
        const [, path = '', words = ''] = /^(\S+) ?(.*)$/.exec(rest) ?? []
        const { mayDo, finish } = await ask(client, sessionId, 'edit', `Edit ${path}`, path)
        if (!mayDo) return
        await writeFile(resolve(cwd, path), `${words}\n`)
        await finish(`Wrote ${path}.`, true)
      },
      run: async () => {
        const { mayDo, finish } = await ask(client, sessionId, 'execute', rest)
        if (mayDo) await finish((await run('/bin/sh', ['-c', rest], { cwd })).stdout, true)
      },
      hang: () =>
        new Promise<void>((done) => {
          const forever = setInterval(() => {}, 60_000)
          cancelled.signal.addEventListener('abort', () => {
            clearInterval(forever)
            done()
          })
        }),
      fail: () => {
        const [, code = '0', words = ''] = /^(-?\d+) ?(.*)$/.exec(rest) ?? []
        throw new RequestError(Number(code), words)
      },
      die: async () => process.exit(3),
      stay: async () => setInterval(() => {}, 60_000),
    }
    if (word === 'stop') return rest as StopReason
    if (!Object.hasOwn(step, word)) continue
    known = true
    await step[word]?.()
    if (cancelled.signal.aborted) return 'cancelled'
  }
  const count = (await promptsOf(sessionId)).length
  if (!known) await chunk('agent_message_chunk', `This session had ${count} prompts.`)
  return 'end_turn'
}

agent({ name: 'test-agent' })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentCapabilities: { loadSession: true, ...can },
  }))
  .onRequest(methods.agent.session.new, async ({ params }) => {
    cwd = params.cwd
    const sessionId = randomUUID()
    await writeFile(fileOf(sessionId), '[]')
    const options = ['small', 'big'].map((value) => ({ value, name: value }))
    return {
      sessionId,
      configOptions: [
        { id: 'model', name: 'Model', category: 'model', type: 'select', currentValue: 'small', options },
      ],
    }
  })
  .onRequest(methods.agent.session.setConfigOption, ({ params }) => {
    if (params.value !== 'big' && params.value !== 'small')
      throw new RequestError(-32_602, 'There is no such model.')
    return { configOptions: [] }
  })
  .onRequest(methods.agent.session.resume, async ({ params }) => {
    cwd = params.cwd
    await promptsOf(params.sessionId)
    return {}
  })
  .onRequest(methods.agent.session.load, async ({ params, client }) => {
    cwd = params.cwd
    const prompts = await promptsOf(params.sessionId)
    // Like Gemini CLI, which answers before it tells the earlier part.
    setImmediate(() => void tell(prompts))
    return {}
    async function tell(prompts: string[]) {
      for (const text of prompts) {
        const content = { type: 'text' as const, text }
        for (const sessionUpdate of ['user_message_chunk', 'agent_message_chunk'] as const)
          await client.notify(methods.client.session.update, {
            sessionId: params.sessionId,
            update: { sessionUpdate, content },
          })
      }
    }
  })
  .onRequest(methods.agent.session.prompt, async ({ params, client }) => {
    cancelled = new AbortController()
    const text = params.prompt.map((block) => (block.type === 'text' ? block.text : '')).join('\n')
    const prompts = await promptsOf(params.sessionId)
    await writeFile(fileOf(params.sessionId), JSON.stringify([...prompts, text]))
    return { stopReason: await play(client, params.sessionId, text) }
  })
  .onNotification(methods.agent.session.cancel, () => cancelled.abort())
  .connect(
    ndJsonStream(
      Writable.toWeb(process.stdout),
      Readable.toWeb(process.stdin) as unknown as ReadableStream<Uint8Array>,
    ),
  )
