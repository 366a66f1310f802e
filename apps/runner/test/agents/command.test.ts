import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { decodeRunEvent, encodeRunEvent, type RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { commandDriver } from '../../src/agents/command.ts'
import type { CommandFormat, PrepareInput } from '../../src/agents/runtime.ts'
import { makePlaces, newDelivery, runAgent, type TestPlace } from './run-agent.ts'

const demo = fileURLToPath(new URL('../../src/agents/demo/demo-agent.ts', import.meta.url))
const run = promisify(execFile)

function inputFor(place: TestPlace, prompt: string, argv: string[], format: CommandFormat): PrepareInput {
  return {
    delivery: newDelivery({ runtime: 'command', command: 'it' }, prompt),
    cwd: place.cwd,
    tmpDir: place.tmpDir,
    eventFile: place.eventFile,
    policy: { commands: { it: { argv, format } }, environment: ['ALLOWED'] },
    environment: { PATH: process.env.PATH, HOME: place.home, ALLOWED: 'yes', SECRET: 'no', IS_SANDBOX: '1' },
  }
}

async function shell(script: string, prompt = '') {
  await using place = await makePlaces()
  return await runAgent(inputFor(place, prompt, ['/bin/sh', '-c', script], 'text'))
}

async function demoRun(prompt: string) {
  await using place = await makePlaces()
  const argv = [process.execPath, demo, '--pause', '0']
  return await runAgent(inputFor(place, prompt, argv, 'stream-json'))
}

const rawText = (events: RunEventBody[]) =>
  events.map((event) => (event.type === 'output' ? (event.text ?? '') : '')).join('')
const types = (events: RunEventBody[]) => events.map((event) => event.type)

describe('a command that prints plain text', () => {
  test('gets the prompt on stdin and what started it in its environment, and nothing else', async () => {
    const { end } = await shell('cat; env | sort; cat "$BATON_EVENT_PATH"', 'the prompt; $(rm -rf x)\n')
    expect(end.result).toMatch(/^the prompt; \$\(rm -rf x\)\n/)
    expect(end.result).toMatch(/\{"hello":"world"\}$/)
    expect(end.result).toContain('\nALLOWED=yes\n')
    expect(end.result).toContain('\nBATON_ATTEMPT=2\nBATON_DELIVERY_ID=dlv_')
    expect(end.result).toContain('\nBATON_EVENT_SOURCE=webhook\nBATON_JOB=nightly\nBATON_RUN_ID=run_')
    expect(end.result).not.toMatch(/SECRET|IS_SANDBOX/)
  })

  test('is done or failed by its exit code', async () => {
    expect((await shell('echo fine')).end).toMatchObject({
      state: 'succeeded',
      outcome: 'done',
      result: 'fine',
    })
    expect((await shell('echo half; echo broken >&2; exit 7')).end).toMatchObject({
      state: 'failed',
      errorKind: 'crashed',
      message: 'It exited with code 7: broken',
      result: 'half',
    })
  })

  test('that the policy does not name, or that is not there, is refused with what to do', async () => {
    await using place = await makePlaces()
    const input = inputFor(place, '', ['/nowhere/tool'], 'text')
    expect(await commandDriver.prepare(input)).toMatchObject({ refused: 'agent_missing' })
    for (const command of ['other', 'constructor', null]) {
      const delivery = newDelivery({ command }, '')
      expect(await commandDriver.prepare({ ...input, delivery })).toMatchObject({
        refused: 'policy',
        message: expect.stringContaining('policy.json'),
      })
    }
  })

  test('keeps the format that it started with when the policy changes while it runs', async () => {
    await using place = await makePlaces()
    const { delivery, policy } = inputFor(place, '', ['/bin/true'], 'stream-json')
    const bytes = Buffer.from('{"type":"assistant","message":{"content":[{"type":"text","text":"hi"}]}}\n')
    const position = commandDriver.createReader({ delivery, policy }).position()
    const reader = commandDriver.createReader({ delivery, policy: { commands: {} } }, position)
    expect(types(reader.read({ stream: 'stdout', bytes, atMs: 0 }).events)).toEqual(['consumed', 'message'])
  })
})

describe('the demo agent', () => {
  test('looks at a repository, writes what it found, and shows each step as a tool call', async () => {
    await using place = await makePlaces('{"ref":"main"} ````')
    const git = (...args: string[]) => run('git', args, { cwd: place.cwd })
    await git('init', '-q', '-b', 'trunk')
    await writeFile(join(place.cwd, 'README.md'), '# Shop\n\n- TODO: open it\n')
    await git('add', '.')
    await git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'Begin')
    const input = inputFor(
      place,
      'Say what is here.',
      [process.execPath, demo, '--pause', '0'],
      'stream-json',
    )
    const { events, end } = await runAgent(input)
    expect(end).toMatchObject({ state: 'succeeded', outcome: 'done', usage: { inputTokens: 0 } })
    expect(end.result).toBe('Looked at 1 files (24 B, branch trunk, 1 TODO) and wrote BATON.md.')
    expect(types(events).filter((type) => type === 'tool_started')).toHaveLength(4)
    expect(types(events).filter((type) => type === 'tool_finished')).toHaveLength(4)
    expect(types(events)).not.toContain('output')
    const report = await readFile(join(place.cwd, 'BATON.md'), 'utf8')
    expect(report).toContain('# Shop')
    expect(report).toContain('A webhook event by the job `nightly`, attempt 2.')
    expect(report).toContain('Say what is here.')
    expect(report).toContain('`````text\n{"ref":"main"} ````\n`````')
    expect(report).toContain('`README.md:3: - TODO: open it`')
    expect(report).toMatch(/[0-9a-f]{7} Begin/)
  })

  test('works in a folder that is no repository, and writes over nobody else’s file', async () => {
    await using place = await makePlaces()
    await writeFile(join(place.cwd, 'BATON.md'), 'mine')
    const input = inputFor(place, '', [process.execPath, demo, '--pause', '0'], 'stream-json')
    expect((await runAgent(input)).end.result).toContain('wrote BATON.demo.md')
    expect(await readFile(join(place.cwd, 'BATON.md'), 'utf8')).toBe('mine')
    expect((await runAgent(input)).end.result).toContain('wrote BATON.demo.md')
  })

  test('plays a script of several steps in order', async () => {
    await using place = await makePlaces()
    const prompt = 'A template around it.\n@demo lines 2 0\n@demo write out/a.txt one two\n@demo text 1 0\n'
    const input = inputFor(place, prompt, [process.execPath, demo, '--pause', '0'], 'stream-json')
    const { events, end } = await runAgent(input)
    expect(end).toMatchObject({ outcome: 'done', result: 'Did lines, write, text.' })
    expect(types(events)).toEqual(
      'session consumed message message tool_started tool_finished output usage result'.split(' '),
    )
    expect(await readFile(join(place.cwd, 'out', 'a.txt'), 'utf8')).toBe('one two\n')
  })

  test('fails with the exit code that it is told', async () => {
    const { end, exitCode } = await demoRun('@demo fail 3')
    expect(exitCode).toBe(3)
    expect(end).toMatchObject({ state: 'failed', outcome: 'error', errorKind: 'crashed' })
  })

  test('is not done when it exits with 0 without a result', async () => {
    for (const mode of ['nothing', 'close-stdout']) {
      const { end, exitCode } = await demoRun(`@demo ${mode}`)
      expect(exitCode).toBe(0)
      expect(end).toMatchObject({ state: 'failed', errorKind: 'crashed' })
    }
  })

  test('that breaks down is crashed', async () => {
    expect((await demoRun('@demo crash')).end).toMatchObject({ state: 'failed', errorKind: 'crashed' })
  })

  test('prints bytes that are no text, and the transcript has every one of them', async () => {
    const { events, end } = await demoRun('@demo badtext\n@demo ansi')
    expect(end.outcome).toBe('done')
    const base64 = events.find((event) => event.type === 'output' && event.base64 !== undefined)
    expect(base64).toMatchObject({
      base64: Buffer.from([0x66, 0x6f, 0xff, 0xfe, 0xc3, 0x28, 0x0a]).toString('base64'),
    })
    expect(rawText(events)).toContain('NUL \u0000 here\n')
    expect(rawText(events)).toContain('\u001b[1;31mred')
    for (const event of events) expect(decodeRunEvent(1, encodeRunEvent(1, event))).toMatchObject(event)
  })

  test('floods 32 MiB, and every byte comes through', async () => {
    const { events, end } = await demoRun('@demo flood 16m\n@demo longline 16m')
    expect(end.outcome).toBe('done')
    const length = events.reduce(
      (sum, event) => sum + (event.type === 'output' ? (event.text?.length ?? 0) : 0),
      0,
    )
    expect(length).toBe(2 * 16 * 1024 * 1024 + 2)
  })
})
