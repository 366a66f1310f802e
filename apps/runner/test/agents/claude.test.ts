import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PermissionMode } from '@baton/protocol'
import { installAgentCli, type StandInModel, startStandInModel } from '@baton/testkit'
import { describe, expect, test } from 'vitest'
import { detectRuntimes } from '../../src/agents/detect-runtimes.ts'
import type { PrepareInput } from '../../src/agents/runtime.ts'
import { makePlaces, newDelivery, prepare, runAgent, type TestPlace } from './run-agent.ts'

const cli = await installAgentCli('claude')
const missing = 'missing' in cli ? cli.missing : null
if (missing !== null) console.warn(`Claude Code is not driven: ${missing}`)
const program = 'path' in cli ? cli.path : ''

type Wish = { instructions?: string; permissionMode?: PermissionMode; model?: string; sessionId?: string }

/** What a runner would hand to the driver; the environment is that of a careless terminal. */
function inputFor(
  model: StandInModel,
  place: TestPlace,
  prompt: string,
  { sessionId, ...agent }: Wish = {},
): PrepareInput {
  return {
    delivery: newDelivery({ runtime: 'claude', model: 'sonnet', ...agent }, prompt, sessionId ?? null),
    cwd: place.cwd,
    tmpDir: place.tmpDir,
    eventFile: place.eventFile,
    policy: { commands: {}, environment: [] },
    environment: {
      PATH: [dirname(program), '/usr/bin', '/bin'].join(':'),
      HOME: place.home,
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: 'stand-in',
      CLAUDECODE: '1',
      IS_SANDBOX: '1',
      AWS_SECRET_ACCESS_KEY: 'must not leak',
      BATON_TOKEN: 'must not leak',
    },
  }
}

describe.skipIf(missing !== null)('Claude Code', { timeout: 60_000 }, () => {
  test('answers a prompt, shows that it took it, and ends by itself', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const input = inputFor(model, place, '@usage 120 30\n@say Hello from the model.')
    const { events, end, exitCode, closedStdin } = await runAgent(input)
    expect(end).toMatchObject({
      state: 'succeeded',
      outcome: 'done',
      result: 'Hello from the model.',
      usage: { inputTokens: 120, outputTokens: 30 },
    })
    expect(end.sessionId?.replaceAll('-', '')).toBe(input.delivery.runId.slice('run_'.length))
    expect(events.map((event) => event.type)).toEqual(['session', 'consumed', 'message', 'usage', 'result'])
    expect({ exitCode, closedStdin }).toEqual({ exitCode: 0, closedStdin: true })
  })

  test('edits files in its mode, and sees nothing of the environment that was not allowed', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const prompt = '@shell env > seen.txt && cat "$BATON_EVENT_PATH" > event.txt\n@say Seen.'
    const { end } = await runAgent(inputFor(model, place, prompt, { permissionMode: 'full' }))
    expect(end.outcome).toBe('done')
    const seen = await readFile(join(place.cwd, 'seen.txt'), 'utf8')
    expect(seen).toContain('BATON_RUN_ID=run_')
    expect(seen).toContain('BATON_JOB=nightly')
    expect(seen).toContain(`TMPDIR=${place.tmpDir}`)
    expect(seen).not.toContain('must not leak')
    expect(seen).not.toMatch(/^IS_SANDBOX=/m)
    expect(await readFile(join(place.cwd, 'event.txt'), 'utf8')).toBe('{"hello":"world"}')
  })

  test('is refused what its mode does not allow, and is then not done', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const outside = join(place.home, 'outside.txt')
    const input = inputFor(model, place, `@shell touch ${outside}\n@say The command was handled.`)
    const { events, end, exitCode } = await runAgent(input, { stopReason: null, changedFiles: 0 })
    expect(exitCode).toBe(0)
    expect(end).toMatchObject({
      state: 'failed',
      outcome: 'blocked_by_permission',
      errorKind: 'permission_denied',
    })
    expect(events.filter((event) => event.type === 'permission_denied')).toHaveLength(1)
    expect(await readdir(place.home)).not.toContain('outside.txt')
    const told = JSON.stringify(model.requests().at(-1)?.body)
    expect(told).toContain('nobody is there to approve it')
  })

  test('has no tool that writes or runs anything when it may only read, whatever the user allows himself', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    await writeFile(join(place.cwd, 'a.txt'), 'as it was')
    const prompt = '@shell echo changed > a.txt\n@write a.txt <<< changed\n@say Tried.'
    const { events } = await runAgent(inputFor(model, place, prompt, { permissionMode: 'read_only' }))
    expect(await readFile(join(place.cwd, 'a.txt'), 'utf8')).toBe('as it was')
    expect(events.filter((event) => event.type === 'tool_finished' && event.ok)).toEqual([])
  })

  test('runs no hook and starts no server of the repository', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const trap = { type: 'command', command: `touch ${join(place.home, 'trap')}` }
    const settings = { hooks: { SessionStart: [{ hooks: [trap] }], UserPromptSubmit: [{ hooks: [trap] }] } }
    await mkdir(join(place.cwd, '.claude'))
    await writeFile(join(place.cwd, '.claude', 'settings.json'), JSON.stringify(settings))
    const servers = { mcpServers: { trap: { command: 'touch', args: [join(place.home, 'trap')] } } }
    await writeFile(join(place.cwd, '.mcp.json'), JSON.stringify(servers))
    expect((await runAgent(inputFor(model, place, '@say Calm.'))).end.result).toBe('Calm.')
    expect(await readdir(place.home)).not.toContain('trap')
  })

  test('gets its instructions, also when it goes on with a conversation', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const first = await runAgent(inputFor(model, place, 'How many?', { instructions: 'Be the first.' }))
    const sessionId = first.end.sessionId ?? ''
    const again = inputFor(model, place, 'How many?', { instructions: 'Be the second.', sessionId })
    const second = await runAgent(again)
    expect(second.end).toMatchObject({ result: expect.stringContaining('2'), sessionId })
    expect(second.end.usage?.inputTokens).toBe(first.end.usage?.inputTokens)
    expect(model.requests().at(-1)?.system).toContain('Be the second.')
    expect(model.requests().at(-1)?.system).not.toContain('Be the first.')
  })

  test('whose key is refused is not signed in', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const input = inputFor(model, place, '@fail 401')
    const { end, events } = await runAgent(input)
    expect(end).toMatchObject({ state: 'failed', errorKind: 'not_signed_in' })
    expect(events.filter((event) => event.type === 'retry').length).toBeGreaterThan(0)
  })

  test('has the prompt nowhere on its argv', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const prompt = '--dangerously-skip-permissions $(touch x) {"body":"secret"}'
    const { command, shown, version } = await prepare(
      inputFor(model, place, prompt, { instructions: 'private' }),
    )
    expect(version).toBe('2.1.328')
    const { keepStdinOpen, stdin } = command
    expect([...command.args, ...shown].join('\n')).not.toMatch(/dangerously|secret|private/)
    expect(
      stdin
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).type),
    ).toEqual(['control_request', 'user'])
    expect(keepStdinOpen).toBe(true)
  })

  test('is found, with its version and how it is signed in, in less than two seconds', async () => {
    await using model = await startStandInModel()
    await using place = await makePlaces()
    const { environment } = inputFor(model, place, '')
    const startedAt = performance.now()
    const found = await detectRuntimes({ environment })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(found[0]).toMatchObject({
      runtime: 'claude',
      installed: true,
      version: '2.1.328',
      signedIn: 'yes',
    })
    const out = await detectRuntimes({ environment: { ...environment, ANTHROPIC_API_KEY: undefined } })
    expect(out[0]).toMatchObject({ installed: true, signedIn: 'no' })
  })
})
