import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PermissionMode, PushedDelivery, RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { acpDriver } from '../../src/agents/acp.ts'
import type { PermissionAsk, PrepareInput, ReaderPosition } from '../../src/agents/runtime.ts'
import { makePlaces, newDelivery, runAgent, type TestPlace } from './run-agent.ts'

const program = fileURLToPath(new URL('./acp-agent.ts', import.meta.url))

type Wish = {
  sessionId?: string
  permissionMode?: PermissionMode
  argv?: string[]
  model?: string
  instructions?: string
  approvals?: Partial<PushedDelivery['agent']['approvals']>
}

function inputFor(
  place: TestPlace,
  prompt: string,
  { sessionId, argv = [], approvals, ...agent }: Wish = {},
): PrepareInput {
  const rules = { mode: 'deny' as const, expiresMs: 60_000, allow: [], ...approvals }
  return {
    delivery: newDelivery(
      { runtime: 'acp', command: 'it', approvals: rules, ...agent },
      prompt,
      sessionId ?? null,
    ),
    cwd: place.cwd,
    tmpDir: place.tmpDir,
    eventFile: place.eventFile,
    policy: {
      commands: { it: { argv: [process.execPath, program, ...argv], format: 'acp' } },
      environment: [],
    },
    environment: { PATH: process.env.PATH, HOME: place.home },
  }
}

const typesOf = (events: RunEventBody[]) =>
  events.map((event) => event.type).filter((type) => type !== 'output')
const textsOf = (events: RunEventBody[]) =>
  events.flatMap((event) => (event.type === 'message' ? [event.text] : []))

describe('an agent that speaks the Agent Client Protocol', () => {
  test('is prompted, told to end, and its pieces are joined', async () => {
    await using place = await makePlaces()
    const ran = await runAgent(inputFor(place, 'think First.\nplan look,write\nsay One two three.'))
    expect(ran.end).toMatchObject({ state: 'succeeded', outcome: 'done', result: 'One two three.' })
    expect(typesOf(ran.events)).toEqual('session consumed thinking plan message result'.split(' '))
    expect(textsOf(ran.events)).toEqual(['One two three.'])
    expect(ran.exitCode).toBe(0)
  })

  test('edits in its workspace without a question, and nowhere else', async () => {
    await using place = await makePlaces()
    const inside = await runAgent(inputFor(place, 'edit a.txt hello\nsay Written.'))
    expect(await readFile(join(place.cwd, 'a.txt'), 'utf8')).toBe('hello\n')
    expect(inside.end.outcome).toBe('done')
    expect(typesOf(inside.events)).toContain('tool_finished')
    const outside = await runAgent(inputFor(place, 'edit ../b.txt hello\nsay Tried.'))
    expect(outside.end).toMatchObject({ outcome: 'blocked_by_permission', errorKind: 'permission_denied' })
    expect(await readdir(join(place.cwd, '..'))).not.toContain('b.txt')
  })

  test('runs commands only where its mode or the allow-list covers them', async () => {
    await using place = await makePlaces()
    const denied = await runAgent(inputFor(place, 'run touch ran\nsay Tried.'))
    expect(denied.end.outcome).toBe('blocked_by_permission')
    expect(denied.events).toContainEqual({ type: 'permission_denied', tool: 'execute', detail: 'touch ran' })
    const approvals = { allow: ['execute(touch *)'] }
    expect((await runAgent(inputFor(place, 'run touch ran', { approvals }))).end.outcome).toBe('done')
    expect(await readdir(place.cwd)).toContain('ran')
    const more = await runAgent(inputFor(place, 'run touch x; touch y', { approvals }))
    expect(more.end.outcome).toBe('blocked_by_permission')
    const full = await runAgent(inputFor(place, 'run touch full', { permissionMode: 'full' }))
    expect(full.end.outcome).toBe('done')
    const reading = await runAgent(inputFor(place, 'edit c.txt x', { permissionMode: 'read_only' }))
    expect(reading.end.outcome).toBe('blocked_by_permission')
  })

  test('waits for a person who is to be asked, and does what he says', async () => {
    await using place = await makePlaces()
    const asks: PermissionAsk[] = []
    const answerWith = (decision: 'allow' | 'deny') =>
      runAgent(
        inputFor(place, `run touch ${decision}ed\nsay Over.`, { approvals: { mode: 'ask' } }),
        undefined,
        {
          onAsk(ask, reader, tell) {
            asks.push(ask)
            tell(reader.answer?.('unknown', { decision: 'allow', message: null }))
            tell(reader.answer?.(ask.ask, { decision, message: null }))
          },
        },
      )
    expect((await answerWith('allow')).end.outcome).toBe('done')
    expect((await answerWith('deny')).end.outcome).toBe('blocked_by_permission')
    expect(asks.map(({ tool, summary }) => [tool, summary])).toEqual([
      ['execute', 'touch allowed'],
      ['execute', 'touch denyed'],
    ])
    expect(await readdir(place.cwd)).toEqual(['allowed'])
  })

  test('goes on with a session, by resume and by load, without telling the old part again', async () => {
    await using place = await makePlaces()
    for (const argv of [[], ['--resume']]) {
      const first = await runAgent(inputFor(place, 'How many?', { argv }))
      expect(first.end.result).toBe('This session had 1 prompts.')
      const sessionId = first.end.sessionId ?? ''
      const second = await runAgent(inputFor(place, 'And now?', { argv, sessionId }))
      expect(second.end).toMatchObject({ result: 'This session had 2 prompts.', sessionId })
      expect(textsOf(second.events)).toHaveLength(1)
      expect(second.stdin).toContain(argv.length === 0 ? 'session/load' : 'session/resume')
    }
  })

  test('whose session is gone says so, so that it can be started afresh', async () => {
    await using place = await makePlaces()
    const ran = await runAgent(inputFor(place, 'say Never.', { sessionId: 'gone' }))
    expect(ran.end).toMatchObject({ state: 'failed', errorKind: 'session_lost' })
  })

  test('gets its instructions and its model', async () => {
    await using place = await makePlaces()
    const ran = await runAgent(inputFor(place, 'say Fine.', { model: 'big', instructions: 'Be kind.' }))
    expect(ran.end.outcome).toBe('done')
    expect(ran.stdin).toContain('<instructions>\\nBe kind.\\n</instructions>')
    expect(ran.events).toContainEqual(expect.objectContaining({ type: 'session', model: 'big' }))
    const refused = await runAgent(inputFor(place, 'say Never.', { model: 'huge' }))
    expect(refused.end).toMatchObject({ errorKind: 'crashed', message: expect.stringContaining('model') })
  })

  test('is interrupted in the middle of its turn', async () => {
    await using place = await makePlaces()
    const ran = await runAgent(inputFor(place, 'say Wait\nthink so\nhang'), undefined, {
      onEvent: (event, reader, tell) => {
        if (event.type === 'message') tell(reader.interrupt?.())
      },
    })
    expect(ran.end).toMatchObject({ state: 'cancelled', errorKind: null })
    expect(ran.exitCode).toBe(0)
  })

  test('fails with the kind of its error', async () => {
    await using place = await makePlaces()
    const ends: [string, string][] = [
      ['fail 429 Used up, retry in 60s', 'quota'],
      ['fail 401 Who are you?', 'not_signed_in'],
      ['fail -32000 Authentication required', 'not_signed_in'],
      ['fail -32603 Internal error', 'api_error'],
      ['stop refusal', 'api_error'],
      ['die', 'crashed'],
    ]
    for (const [prompt, errorKind] of ends) {
      const { end } = await runAgent(inputFor(place, prompt))
      expect([prompt, end.state, end.errorKind]).toEqual([prompt, 'failed', errorKind])
      if (errorKind === 'quota') expect(end.quotaUntil).toBeGreaterThan(Date.now() + 30_000)
    }
    expect((await runAgent(inputFor(place, 'stop max_tokens'))).end.outcome).toBe('done_with_warnings')
  })

  test('that stays although it is done is ended, and is done', async () => {
    await using place = await makePlaces()
    const { end, exitCode } = await runAgent(inputFor(place, 'say I stay.\nstay'))
    expect(exitCode).toBeNull()
    expect(end).toMatchObject({ state: 'succeeded', outcome: 'done', result: 'I stay.' })
  })

  test('that is another program is told apart from one that broke down', async () => {
    await using place = await makePlaces()
    const input = inputFor(place, 'say Never.')
    const commands = { it: { argv: ['/bin/sh', '-c', 'echo hello; exit 1'], format: 'acp' as const } }
    const { end } = await runAgent({ ...input, policy: { commands, environment: [] } })
    expect(end).toMatchObject({
      errorKind: 'crashed',
      message: expect.stringContaining('Agent Client Protocol'),
    })
    const text = { it: { argv: ['/bin/sh'], format: 'text' as const } }
    expect(await acpDriver.prepare({ ...input, policy: { commands: text, environment: [] } })).toMatchObject({
      refused: 'policy',
    })
  })

  test('does not run for a public event where a repository may hold what it runs unasked', async () => {
    await using place = await makePlaces()
    const input = inputFor(place, 'say Hi.')
    const stranger = { ...input, delivery: { ...input.delivery, trust: 'public' as const } }
    expect(await acpDriver.prepare(stranger)).toHaveProperty('command')
    await writeFile(join(place.cwd, '.mcp.json'), '{}')
    expect(await acpDriver.prepare(stranger)).toMatchObject({
      refused: 'policy',
      message: expect.stringContaining('.mcp.json'),
    })
    expect(await acpDriver.prepare(input)).toHaveProperty('command')
  })

  test('is read the same by a new reader after every byte, and nothing is said to it twice', async () => {
    await using place = await makePlaces()
    const input = inputFor(place, 'think Hm.\nedit a.txt hello\nrun ls\nsay Done now.')
    const { stdout, stdin, end } = await runAgent(input)
    const context = { delivery: input.delivery, policy: input.policy, cwd: input.cwd }
    const exit = { exitCode: 0, signal: null, error: null, message: null }
    const facts = { stopReason: null, changedFiles: null }
    const first = (await acpDriver.prepare(input)) as { command: { stdin: string } }
    for (const chunk of [stdout.length, 1, 61]) {
      let reader = acpDriver.createReader(context)
      const events: RunEventBody[] = []
      let said = first.command.stdin
      for (let at = 0; at < stdout.length; at += chunk) {
        const steps = reader.read({ stream: 'stdout', bytes: stdout.subarray(at, at + chunk), atMs: 0 })
        events.push(...steps.events)
        said += steps.stdin ?? ''
        const position = JSON.parse(JSON.stringify(reader.position())) as ReaderPosition
        reader = acpDriver.createReader(context, position)
        const unread = stdout.subarray(position.committed.stdout, at + chunk)
        events.push(...reader.read({ stream: 'stdout', bytes: unread, atMs: 0 }).events)
      }
      const last = reader.end(exit, facts)
      expect(said).toBe(stdin)
      expect(last.end).toEqual(end)
      expect(typesOf([...events, ...last.events])).toEqual(
        'session consumed thinking tool_started tool_finished tool_started permission_denied tool_finished message result'.split(
          ' ',
        ),
      )
    }
  })

  test('is told again what it may not have got when another runner takes over, but never prompted twice', async () => {
    await using place = await makePlaces()
    const input = inputFor(place, 'say Hello.')
    const context = { delivery: input.delivery, policy: input.policy, cwd: input.cwd }
    const send = (reader: ReturnType<typeof acpDriver.createReader>, message: object) =>
      reader.read({
        stream: 'stdout',
        bytes: Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
        atMs: 0,
      })
    const reader = acpDriver.createReader(context)
    send(reader, { id: 1, result: {} })
    const opened = send(reader, { id: 2, result: { sessionId: 's' } })
    expect(opened.stdin).toContain('session/prompt')
    const adopted = acpDriver.createReader(context, reader.position())
    expect(adopted.flush().stdin).toBe(opened.stdin)
    expect(typesOf(adopted.flush().events)).toEqual(['status'])
    expect(acpDriver.createReader(context, adopted.position()).flush().stdin).toBeUndefined()
    send(adopted, { id: 4, result: { stopReason: 'end_turn' } })
    expect(acpDriver.createReader(context, adopted.position()).flush()).toMatchObject({
      closeStdin: true,
      ended: true,
    })
  })
})
