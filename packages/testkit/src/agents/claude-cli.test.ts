import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type TestContext, test } from 'vitest'
import { startStandInModel } from '../model/stand-in-model.ts'
import { driveClaude } from './drive-claude.ts'
import { installAgentCli } from './install-agent-cli.ts'
import { withClaudeEnvironment } from './with-claude-environment.ts'

/** A home, a folder to work in and a model, gone with the test. */
async function openPlace() {
  const home = await mkdtemp(join(tmpdir(), 'baton-claude-'))
  const cwd = join(home, 'shop')
  await mkdir(cwd)
  const model = await startStandInModel()
  return {
    cwd,
    model,
    env: await withClaudeEnvironment(model, home),
    async [Symbol.asyncDispose]() {
      await model.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** The first test on a machine installs the CLI. */
const limitMs = 360_000
const output = [
  '-p',
  '--output-format',
  'stream-json',
  '--verbose',
  '--setting-sources',
  'user',
  '--strict-mcp-config',
]
const session = '018f3c5e-7a10-4b6e-9c55-2f6f0d1c9b01'

/** The CLI's path; skips the test, with the reason, where it cannot be installed. */
async function claudeOrSkip({ skip }: TestContext): Promise<string> {
  const cli = await installAgentCli('claude')
  return 'missing' in cli ? skip(cli.missing) : cli.path
}

test('Claude Code, told by the stand-in model, writes a file and runs a command', {
  timeout: limitMs,
}, async (context) => {
  const program = await claudeOrSkip(context)
  await using place = await openPlace()
  const { cwd, env, model } = place
  const argv = [
    ...output,
    '--permission-mode',
    'acceptEdits',
    '--allowedTools',
    'Bash',
    '--append-system-prompt',
    'You are Ada.',
  ]
  await using claude = driveClaude(program, argv, { cwd, env })
  claude.end(
    'A push to acme/shop.\n@write notes.txt <<< written by the agent\n@shell wc -l < notes.txt > lines.txt\n@say Done so.',
  )
  expect(await claude.exited).toMatchObject({ code: 0, stderr: '' })
  expect(await readFile(join(cwd, 'notes.txt'), 'utf8')).toBe('written by the agent\n')
  expect((await readFile(join(cwd, 'lines.txt'), 'utf8')).trim()).toBe('1')
  expect(JSON.parse(claude.stdout.at(-1) ?? '')).toMatchObject({
    type: 'result',
    is_error: false,
    result: 'Done so.',
  })
  expect(model.requests().map(({ path, status }) => [path, status])).toEqual(
    Array(3).fill(['/v1/messages', 200]),
  )
  expect(model.requests()[0]?.system).toContain('You are Ada.')
})

test('a session goes on in a new process, over both input formats', { timeout: limitMs }, async (context) => {
  const program = await claudeOrSkip(context)
  await using place = await openPlace()
  const { cwd, env } = place
  await using first = driveClaude(program, [...output, '--session-id', session], { cwd, env })
  first.end('Remember me.')
  expect(await first.exited).toMatchObject({ code: 0 })
  const twoWay = ['--input-format', 'stream-json', '--permission-prompt-tool', 'stdio', '--resume', session]
  await using second = driveClaude(program, [...output, ...twoWay], { cwd, env })
  second.prompt('How many?')
  const result = await second.next(({ type }) => type === 'result')
  expect(result).toMatchObject({ session_id: session, result: 'This conversation has 2 user prompts.' })
  second.end()
  expect(await second.exited).toMatchObject({ code: 0 })
})

test('an interrupt reaches the model', { timeout: limitMs }, async (context) => {
  const program = await claudeOrSkip(context)
  await using place = await openPlace()
  const { cwd, env, model } = place
  const argv = [...output, '--input-format', 'stream-json', '--include-partial-messages']
  await using claude = driveClaude(program, argv, { cwd, env })
  claude.prompt('@say I wait.\n@hang')
  await claude.next((event) => JSON.stringify(event).includes('I wait.'))
  claude.send({ type: 'control_request', request_id: 'stop', request: { subtype: 'interrupt' } })
  const result = await claude.next(({ type }) => type === 'result')
  expect(result).toMatchObject({ is_error: true, terminal_reason: 'aborted_streaming' })
  claude.end()
  expect(await claude.exited).toMatchObject({ code: 1 })
  expect(model.requests().at(-1)).toMatchObject({ aborted: true })
})
