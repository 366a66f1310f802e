import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PushedDelivery } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { markOf } from '../../src/agents/codex-session.ts'
import { driverFor } from '../../src/agents/driver-for.ts'
import type { PrepareInput } from '../../src/agents/runtime.ts'
import { makePlaces, newDelivery, prepare, type TestPlace } from './run-agent.ts'

type Wish = Partial<PushedDelivery['agent']> & {
  runtime: 'codex' | 'opencode' | 'gemini'
  sessionId?: string
  trust?: PushedDelivery['trust']
  agentFolder?: string
}

/** The CLI is a shell script that answers what a driver asks it. */
async function inputFor(place: TestPlace, wish: Wish, script = 'echo 1.2.3'): Promise<PrepareInput> {
  const { sessionId = null, trust = 'member', agentFolder = null, ...agent } = wish
  const file = join(place.home, 'bin', wish.runtime)
  await mkdir(join(place.home, 'bin'), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return {
    delivery: { ...newDelivery(agent, 'the prompt', sessionId), trust },
    cwd: place.cwd,
    tmpDir: place.tmpDir,
    eventFile: place.eventFile,
    policy: { commands: {}, environment: ['MY_TOKEN'] },
    agentFolder,
    environment: {
      PATH: `${join(place.home, 'bin')}:/usr/bin:/bin`,
      HOME: place.home,
      CODEX_API_KEY: 'secret-1',
      MY_TOKEN: 'secret-2',
      OTHER_TOKEN: 'secret-3',
    },
  }
}

const refusal = async (input: PrepareInput) => await driverFor(input.delivery.agent.runtime)?.prepare(input)

describe('codex', () => {
  const thread = '018f3c5e-7a10-7b6e-9c55-2f6f0d1c9a01'

  test('gets the sandbox of its permission mode, and the prompt on a stdin that is closed', async () => {
    await using place = await makePlaces()
    for (const [permissionMode, sandbox] of [
      ['read_only', 'read-only'],
      ['edit', 'workspace-write'],
      ['full', 'danger-full-access'],
    ] as const) {
      const { command, version } = await prepare(await inputFor(place, { runtime: 'codex', permissionMode }))
      expect(command.args.join(' ')).toContain(`exec --json --sandbox ${sandbox} --skip-git-repo-check`)
      expect(command.args.at(-1)).toBe('-')
      expect({ stdin: command.stdin, keepStdinOpen: command.keepStdinOpen, version }).toEqual({
        stdin: 'the prompt',
        keepStdinOpen: false,
        version: '1.2.3',
      })
    }
  })

  test('goes on with a thread with its flags before the word resume, and without what Baton wrote behind the id', async () => {
    await using place = await makePlaces()
    const sessionId = `${thread}~100.0.10.0`
    const { command } = await prepare(await inputFor(place, { runtime: 'codex', sessionId }))
    expect(command.args.slice(-3)).toEqual(['resume', thread, '-'])
    expect(command.args.indexOf('--sandbox')).toBeLessThan(command.args.indexOf('resume'))
  })

  test('is told in the prompt when its thread began with other instructions, and only then', async () => {
    await using place = await makePlaces()
    const stdinOf = async (told: string, instructions: string) => {
      const sessionId = `${thread}~100.0.10.${told}`
      return (await prepare(await inputFor(place, { runtime: 'codex', sessionId, instructions }))).command
        .stdin
    }
    expect(await stdinOf(markOf('Be kind.'), 'Be kind.')).toBe('the prompt')
    expect(await stdinOf('0', '')).toBe('the prompt')
    expect(await stdinOf('0', 'Be kind.')).toMatch(
      /instead of earlier ones[\s\S]*Be kind\.[\s\S]*\n\nthe prompt$/,
    )
    expect(await stdinOf(markOf('Be kind.'), '')).toMatch(/no longer hold\.\n\nthe prompt$/)
  })

  test('keeps its own login out of the commands that it runs, and marks them with the run', async () => {
    await using place = await makePlaces()
    const { command } = await prepare(await inputFor(place, { runtime: 'codex' }))
    expect(command.env.CODEX_API_KEY).toBe('secret-1')
    expect(command.env.OTHER_TOKEN).toBeUndefined()
    expect(command.args).toContain('shell_environment_policy.exclude=["CODEX_API_KEY"]')
    expect(command.args.join('\n')).toMatch(/^shell_environment_policy\.set\.BATON_RUN_ID="run_/m)
    expect(command.args.join('\n')).not.toContain('secret')
  })

  test('is told its instructions, which are never shown, and those too long for an argument in a file', async () => {
    await using place = await makePlaces()
    const short = await prepare(
      await inputFor(place, { runtime: 'codex', instructions: 'Be "kind".\nBe brief.' }),
    )
    expect(short.command.args).toContain('developer_instructions="Be \\"kind\\".\\nBe brief."')
    expect(short.shown.join(' ')).not.toContain('kind')
    const instructions = `Read me. ${'x'.repeat(200_000)}`
    const long = await prepare(await inputFor(place, { runtime: 'codex', instructions }))
    const file = join(place.tmpDir, 'instructions.md')
    expect(long.command.args.join(' ')).toContain(file)
    expect(await readFile(file, 'utf8')).toBe(instructions)
    expect(Math.max(...long.command.args.map((one) => one.length))).toBeLessThan(128 * 1024)
  })

  test('reads no settings of the user and no words of the repository for a public event', async () => {
    await using place = await makePlaces()
    const strangers = await prepare(await inputFor(place, { runtime: 'codex', trust: 'public' }))
    expect(strangers.command.args).toEqual(
      expect.arrayContaining(['--ignore-user-config', '--ignore-rules', 'project_doc_max_bytes=0']),
    )
    const members = await prepare(await inputFor(place, { runtime: 'codex' }))
    expect(members.command.args).not.toContain('--ignore-user-config')
  })

  test('may write its own folder when it may edit', async () => {
    await using place = await makePlaces()
    const { command } = await prepare(await inputFor(place, { runtime: 'codex', agentFolder: '/data/ada' }))
    expect(command.args.join(' ')).toContain('--add-dir /data/ada')
  })

  test('takes no model or session that would be read as a flag', async () => {
    await using place = await makePlaces()
    const model = await refusal(await inputFor(place, { runtime: 'codex', model: '--full-auto' }))
    expect(model).toMatchObject({ refused: 'policy' })
    const sessionId = '--last'
    expect(await refusal(await inputFor(place, { runtime: 'codex', sessionId }))).toMatchObject({
      refused: 'policy',
    })
  })
})

describe('gemini', () => {
  test('does not run for a public event in a repository with settings of its own', async () => {
    await using place = await makePlaces()
    const asStranger = () => inputFor(place, { runtime: 'gemini', trust: 'public' }).then(refusal)
    expect(await asStranger()).toHaveProperty('command')
    await mkdir(join(place.cwd, '.gemini'))
    expect(await asStranger()).toMatchObject({
      refused: 'policy',
      message: expect.stringContaining('.gemini'),
    })
    expect(await refusal(await inputFor(place, { runtime: 'gemini' }))).toHaveProperty('command')
  })
})

describe('opencode', () => {
  const permissionsOf = async (place: TestPlace, wish: Omit<Wish, 'runtime'>) => {
    const { command } = await prepare(await inputFor(place, { runtime: 'opencode', ...wish }))
    return JSON.parse(command.env.OPENCODE_PERMISSION ?? '')
  }

  test('asks for nothing in any permission mode, since a question ends its run', async () => {
    await using place = await makePlaces()
    const here = { '*': 'deny', [`${place.tmpDir}/*`]: 'allow' }
    const common = { bash: { '*': 'deny' }, external_directory: here }
    expect(await permissionsOf(place, { permissionMode: 'read_only' })).toEqual({
      ...common,
      edit: 'deny',
      webfetch: 'deny',
      websearch: 'deny',
    })
    expect(await permissionsOf(place, { permissionMode: 'edit' })).toMatchObject({ ...common, edit: 'allow' })
    expect(await permissionsOf(place, { permissionMode: 'full' })).toEqual({
      '*': 'allow',
      external_directory: 'allow',
    })
  })

  test('runs the commands that the allow-list names, and reaches its own folder', async () => {
    await using place = await makePlaces()
    const approvals = { mode: 'deny' as const, expiresMs: 60_000, allow: ['Bash(npm test*)', 'Read'] }
    const rules = await permissionsOf(place, { approvals, agentFolder: '/data/ada' })
    expect(rules.bash).toEqual({ '*': 'deny', 'npm test*': 'allow' })
    expect(rules.external_directory['/data/ada/*']).toBe('allow')
  })

  test('gets its instructions in a file beside its own, and no settings of the repository', async () => {
    await using place = await makePlaces()
    const input = await inputFor(place, { runtime: 'opencode', instructions: 'Be kind.' })
    const { command, shown } = await prepare(input)
    const { instructions } = JSON.parse(command.env.OPENCODE_CONFIG_CONTENT ?? '')
    expect(await readFile(instructions[0], 'utf8')).toBe('Be kind.')
    expect(command.env.OPENCODE_DISABLE_PROJECT_CONFIG).toBe('1')
    expect(shown.join(' ')).toBe('opencode run --format json --thinking --print-logs --log-level ERROR')
    expect(command.stdin).toBe('the prompt')
  })

  test('goes on with a session of this folder, and asks for none of another one, which would hang', async () => {
    await using place = await makePlaces()
    const sessions = [
      { id: 'ses_here', directory: place.cwd },
      { id: 'ses_there', directory: '/elsewhere' },
    ]
    const script = `case "$1" in session) echo '${JSON.stringify(sessions)}';; *) echo 1.2.3;; esac`
    const sessionFlag = async (sessionId: string) => {
      const input = await inputFor(place, { runtime: 'opencode', sessionId }, script)
      return (await prepare(input)).command.args.slice(-2)
    }
    expect(await sessionFlag('ses_here')).toEqual(['--session', 'ses_here'])
    expect(await sessionFlag('ses_there')).toEqual(['--session', 'ses_there_of_another_folder'])
    expect(await sessionFlag('ses_gone')).toEqual(['--session', 'ses_gone_of_another_folder'])
  })

  test('does not run for a public event in a repository that may hold its plugins', async () => {
    await using place = await makePlaces()
    await mkdir(join(place.cwd, '.opencode'))
    const strangers = await refusal(await inputFor(place, { runtime: 'opencode', trust: 'public' }))
    expect(strangers).toMatchObject({ refused: 'policy', message: expect.stringContaining('plugins') })
    expect(await refusal(await inputFor(place, { runtime: 'opencode' }))).toHaveProperty('command')
  })

  test('takes a model only with its provider, and no session that would be read as a flag', async () => {
    await using place = await makePlaces()
    const model = await refusal(await inputFor(place, { runtime: 'opencode', model: 'sonnet' }))
    expect(model).toMatchObject({ refused: 'policy', message: expect.stringContaining('provider/model') })
    const session = await refusal(await inputFor(place, { runtime: 'opencode', sessionId: '--share' }))
    expect(session).toMatchObject({ refused: 'policy' })
  })
})
