import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHome } from './support/open-home.ts'
import { runNode } from './support/run-command.ts'
import { type RunningDev, startDev } from './support/start-dev.ts'

const build = fileURLToPath(new URL('../../apps/runner/build.ts', import.meta.url))

/** Only the bundle, in a folder from which no package and no source can be found. */
let copy: string
let dev: RunningDev
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'baton-copy-'))
  await promisify(execFile)(process.execPath, [build, copy])
  dev = await startDev()
})
afterAll(async () => {
  await dev?.[Symbol.asyncDispose]()
  await rm(copy, { recursive: true, force: true })
})

test('a copy of the bundle is a whole runner on a machine that has nothing but Node', async () => {
  await using home = await openHome({ BATON_URL: dev.url })
  const folder = home.env.BATON_HOME ?? ''
  const baton = (args: string[], more: { input?: string; env?: Record<string, string> } = {}) =>
    runNode([join(copy, 'baton.mjs'), ...args], { cwd: copy, ...more, env: { ...home.env, ...more.env } })
  const { key } = JSON.parse((await dev.command(['machine', 'add', 'bare', '--json'])).stdout)
  const up = await baton(['up', '--server', dev.url, '--key-stdin'], { input: key })
  expect(up.code, up.stderr).toBe(0)
  try {
    const program = join(folder, 'shout.sh')
    await writeFile(program, '#!/bin/sh\nprintf "got: "; cat\n')
    await chmod(program, 0o755)
    const token = await readFile(join(dev.env.BATON_HOME ?? '', 'config/profiles/default.token'), 'utf8')
    const env = { BATON_TOKEN: token.trim() }
    const made = await baton(['agent', 'create', 'shout', '--runtime', 'command', '--command', program], {
      env,
    })
    expect(made.stdout, made.stderr).toContain('shout is ready on bare')
    expect((await baton(['status', '--json'], { env })).code).toBe(0)
    const run = await baton(['run', 'hello', '--agent', 'shout', '--json'], { env })
    expect(JSON.parse(run.stdout)).toMatchObject({ result: 'got: hello', machine: { name: 'bare' } })
  } finally {
    expect((await baton(['down'])).code).toBe(0)
  }
})

test('the runner of the bundle reaches a relay behind TLS, over a WebSocket', async ({ skip }) => {
  const [key, cert] = [join(copy, 'key.pem'), join(copy, 'cert.pem')]
  const words =
    'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost'
  const made = await promisify(execFile)('openssl', [
    ...words.split(' '),
    '-keyout',
    key,
    '-out',
    cert,
  ]).catch(() => null)
  if (made === null) return skip('no openssl is installed here')
  await using home = await openHome({ BATON_URL: dev.url, NODE_EXTRA_CA_CERTS: cert })
  const proxy = createServer({ key: await readFile(key), cert: await readFile(cert) }, (socket) => {
    const relay = connect(Number(new URL(dev.url).port), '127.0.0.1')
    pipeline(socket, relay, socket, () => undefined)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const baton = (args: string[], input?: string) =>
    runNode([join(copy, 'baton.mjs'), ...args], { cwd: copy, env: home.env, ...(input && { input }) })
  try {
    const machine = JSON.parse((await dev.command(['machine', 'add', 'far', '--json'])).stdout)
    const url = `https://localhost:${(proxy.address() as AddressInfo).port}`
    const up = await baton(['up', '--server', url, '--key-stdin'], machine.key)
    expect(up.stdout, up.stderr).toContain(`Connected to ${url}.`)
    const status = join(home.env.BATON_HOME ?? '', 'state/default/runner.json')
    expect(JSON.parse(await readFile(status, 'utf8')).connection).toMatchObject({ via: 'websocket' })
  } finally {
    expect((await baton(['down'])).code).toBe(0)
    proxy.close()
  }
})

test('under a Node that is too old the command goes on with the one of its packages', async ({ skip }) => {
  const old = await findOldNode()
  if (!old) return skip('no Node before 24 is installed here')
  await using home = await openHome()
  const command = fileURLToPath(new URL('../../apps/runner/bin/baton.mjs', import.meta.url))
  const run = (file: string, args: string[]) =>
    promisify(execFile)(old, [file, ...args], { env: home.env }).catch((error) => error)
  expect((await run(command, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(await run(command, ['runs', 'list', '--nope'])).toMatchObject({ code: 2 })
  const lone = join(copy, 'lone/apps/runner/bin/baton.mjs')
  await mkdir(dirname(lone), { recursive: true })
  await copyFile(command, lone)
  expect(await run(lone, ['--version'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('needs Node 24'),
  })
})

async function findOldNode(): Promise<string | null> {
  for (const file of ['/usr/bin/node', '/usr/local/bin/node']) {
    const said = await promisify(execFile)(file, ['--version']).catch(() => null)
    if (said && Number(/^v(\d+)/.exec(said.stdout)?.[1]) < 24) return file
  }
  return null
}

test('what needs a checkout says so', async () => {
  await using home = await openHome()
  const refused = await runNode([join(copy, 'baton.mjs'), 'dev', '--json'], { env: home.env, cwd: copy })
  expect(refused.code).toBe(2)
  expect(JSON.parse(refused.stderr).error.message).toContain('needs a checkout')
})
