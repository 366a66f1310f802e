import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KnownFacts } from '../../src/agents/ask-facts.ts'
import { detectRuntimes } from '../../src/agents/detect-runtimes.ts'
import { makePlaces, type TestPlace } from './run-agent.ts'

/** A CLI as a shell script on a PATH of its own. */
async function install(place: TestPlace, name: string, script: string, folder = 'bin'): Promise<string> {
  const file = join(place.home, folder, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return file
}

const environmentOf = (place: TestPlace, more: Record<string, string> = {}) => ({
  PATH: `${join(place.home, 'bin')}:/usr/bin:/bin`,
  HOME: place.home,
  ...more,
})
const claude = (status: string, version = '2.1.328') =>
  `case "$1" in --version) echo "${version} (Claude Code)";; auth) ${status};; esac`

async function only(runtime: string, options: Parameters<typeof detectRuntimes>[0]) {
  return (await detectRuntimes(options)).find((one) => one.runtime === runtime)
}

describe('the runtimes of a machine', () => {
  test('that are not installed say how to install them', async () => {
    await using place = await makePlaces()
    const found = await detectRuntimes({ environment: environmentOf(place) })
    expect(found.map((one) => one.runtime)).toEqual([
      'claude',
      'codex',
      'gemini',
      'opencode',
      'acp',
      'chat',
      'command',
    ])
    for (const one of found.slice(0, 4)) {
      expect(one).toMatchObject({ installed: false, detail: expect.stringContaining('npm install -g') })
    }
  })

  test('say whether they are signed in, each in its own way', async () => {
    await using place = await makePlaces()
    await install(
      place,
      'claude',
      claude(`echo '{"loggedIn":true,"authMethod":"claude.ai","subscriptionType":"max"}'`),
    )
    await install(
      place,
      'codex',
      'case "$1" in --version) echo "codex-cli 0.169.0";; *) echo "Not logged in"; exit 1;; esac',
    )
    await install(place, 'gemini', 'echo 0.61.0')
    await install(place, 'opencode', 'echo 1.18.33')
    const login = join(place.home, '.local', 'share', 'opencode')
    await mkdir(login, { recursive: true })
    await writeFile(join(login, 'auth.json'), '{"anthropic":{"type":"api","key":"secret"}}')
    const found = await detectRuntimes({ environment: environmentOf(place, { GEMINI_API_KEY: 'secret' }) })
    expect(found.map(({ version, signedIn, detail }) => [version, signedIn, detail]).slice(0, 4)).toEqual([
      ['2.1.328', 'yes', 'Signed in: claude.ai, max.'],
      ['0.169.0', 'no', 'Not signed in: run "codex login" on this machine.'],
      ['0.61.0', 'yes', 'Signed in: an API key in the environment.'],
      ['1.18.33', 'yes', 'Signed in: anthropic.'],
    ])
    expect(JSON.stringify(found)).not.toContain('secret')
  })

  test('say how they are signed in, and that they cannot say it of a provider that they do not ask', async () => {
    await using place = await makePlaces()
    const environment = environmentOf(place)
    const settings = join(place.home, '.codex')
    await mkdir(settings)
    const codex = async (script: string, files: Record<string, string>, more = {}) => {
      await install(place, 'codex', `case "$1" in --version) echo "codex-cli 0.169.0";; *) ${script};; esac`)
      for (const [name, text] of Object.entries(files)) await writeFile(join(settings, name), text)
      const found = await only('codex', { environment: { ...environment, ...more } })
      return [found?.signedIn, found?.detail]
    }
    const login = '{"auth_mode":"chatgpt","tokens":{"id_token":"secret"}}'
    expect(await codex('exit 0', { 'auth.json': login })).toEqual(['yes', 'Signed in: ChatGPT.'])
    expect(await codex('exit 1', {})).toEqual(['no', expect.stringContaining('codex login')])
    const provider = { 'config.toml': 'model_provider = "ours"\n' }
    expect(await codex('exit 1', provider)).toEqual(['unknown', expect.stringContaining('"ours"')])
    const key = { CODEX_API_KEY: 'secret' }
    expect(await codex('exit 1', {}, key)).toEqual(['yes', expect.stringContaining('in the environment')])

    await install(place, 'opencode', 'echo 1.18.33')
    const opencode = async (more = {}) => {
      const policy = { commands: {}, environment: ['MISTRAL_API_KEY'] }
      const found = await only('opencode', { environment: { ...environment, ...more }, policy })
      return [found?.signedIn, found?.detail]
    }
    expect((await opencode())[0]).toBe('unknown')
    expect(await opencode({ MISTRAL_API_KEY: 'secret' })).toEqual([
      'yes',
      'Signed in: MISTRAL_API_KEY in the environment.',
    ])
    await mkdir(join(place.home, '.config', 'opencode'), { recursive: true })
    const ours = { provider: { ours: { options: { apiKey: 'secret' } }, other: {} } }
    await writeFile(join(place.home, '.config', 'opencode', 'opencode.json'), JSON.stringify(ours))
    expect(await opencode()).toEqual(['yes', 'Signed in: ours of its settings.'])
  })

  test('that give no answer in time, or no answer that can be read, are unknown and not signed out', async () => {
    await using place = await makePlaces()
    const environment = environmentOf(place)
    await install(place, 'claude', claude('exec sleep 60'))
    const startedAt = performance.now()
    const slow = await only('claude', { environment, limitMs: 300 })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(slow).toMatchObject({
      installed: true,
      signedIn: 'unknown',
      detail: expect.stringContaining('within 0.3 s'),
    })
    await install(place, 'claude', claude('echo garbage'))
    expect(await only('claude', { environment })).toMatchObject({ installed: true, signedIn: 'unknown' })
    await install(place, 'claude', claude('touch asked', '2.0.5'))
    expect(await only('claude', { environment })).toMatchObject({ signedIn: 'unknown', version: '2.0.5' })
  })

  test('are found on the PATH of the login shell too', async () => {
    await using place = await makePlaces()
    const file = await install(place, 'claude', claude('echo {}'), 'login-bin')
    expect(await only('claude', { environment: environmentOf(place) })).toMatchObject({ installed: false })
    const loginPath = dirname(file)
    expect(await only('claude', { environment: environmentOf(place), loginPath })).toMatchObject({
      path: file,
    })
  })

  test('are asked for their version again only when their file has changed', async () => {
    await using place = await makePlaces()
    const environment = environmentOf(place)
    const facts: KnownFacts = new Map()
    const file = await install(place, 'opencode', 'echo 1.0.0')
    await utimes(file, 1_000, 1_000)
    expect(await only('opencode', { environment, facts })).toMatchObject({ version: '1.0.0' })
    await install(place, 'opencode', 'echo 2.0.0')
    await utimes(file, 1_000, 1_000)
    expect(await only('opencode', { environment, facts })).toMatchObject({ version: '1.0.0' })
    await utimes(file, 2_000, 2_000)
    expect(await only('opencode', { environment, facts })).toMatchObject({ version: '2.0.0' })
  })

  test('say what they can do by their own help, and what is known of them where they show none', async () => {
    await using place = await makePlaces()
    const environment = environmentOf(place)
    const help =
      'case "$1" in --version) echo 2.1.0;; --help) echo "--help --resume --model";; *) echo "{}";; esac'
    await install(place, 'claude', help)
    expect((await only('claude', { environment }))?.capabilities).toEqual([
      'resume',
      'cancel',
      'usage',
      'cost',
      'model',
    ])
    await install(place, 'claude', claude('echo {}'))
    expect((await only('claude', { environment }))?.capabilities).toContain('approvals')
    await install(place, 'gemini', 'echo 0.61.0')
    expect((await only('gemini', { environment }))?.capabilities).toContain('tool_allow_list')
  })

  test('have a chat agent without any program: its keys are named, and without one nobody says no', async () => {
    await using place = await makePlaces()
    const keyed = await only('chat', { environment: environmentOf(place, { OPENAI_API_KEY: 'secret' }) })
    expect(keyed).toMatchObject({
      installed: true,
      signedIn: 'yes',
      detail: 'Keys in the environment: OPENAI_API_KEY.',
    })
    expect(await only('chat', { environment: environmentOf(place) })).toMatchObject({ signedIn: 'unknown' })
  })

  test('name the commands of the policy whose executables are there', async () => {
    await using place = await makePlaces()
    const commands = {
      there: { argv: ['/bin/sh', '-c', 'true'], format: 'text' as const },
      gone: { argv: ['/nowhere/tool'], format: 'text' as const },
      talks: { argv: ['/bin/sh'], format: 'acp' as const },
    }
    const options = { environment: environmentOf(place), policy: { commands, environment: [] } }
    expect(await only('acp', options)).toMatchObject({ installed: true, commands: ['talks'] })
    const found = await only('command', options)
    expect(found).toMatchObject({
      installed: true,
      commands: ['there'],
      detail: expect.stringContaining('gone'),
    })
  })
})
