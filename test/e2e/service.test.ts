import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHome } from './support/open-home.ts'
import { runBaton } from './support/run-command.ts'
import { type RunningDev, startDev } from './support/start-dev.ts'

let dev: RunningDev
beforeAll(async () => {
  dev = await startDev()
})
afterAll(() => dev[Symbol.asyncDispose]())

/** Does what systemd does with the one unit of its folder: starts its command line, and tells its process to stop. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$CALLS"
unit="$XDG_CONFIG_HOME/systemd/user/baton-runner.service"
case "$2" in
  restart) (eval "exec $(sed -n 's/^ExecStart=//p' "$unit")" >/dev/null 2>&1 & echo $! > "$CALLS.pid") ;;
  disable) kill -TERM "$(cat "$CALLS.pid")" ;;
esac
`

test('a runner is made a service in place of the one that runs, and taken away again', async () => {
  await using home = await openHome({ BATON_URL: dev.url })
  const bin = join(home.env.BATON_HOME ?? '', 'bin')
  const calls = join(bin, 'calls')
  await mkdir(bin, { recursive: true })
  for (const [name, text] of [
    ['systemctl', SYSTEMCTL],
    ['loginctl', '#!/bin/sh\necho Linger=no\n'],
  ] as const) {
    await writeFile(join(bin, name), text)
    await chmod(join(bin, name), 0o755)
  }
  const env = {
    ...home.env,
    PATH: `${bin}:${home.env.PATH}`,
    CALLS: calls,
    XDG_CONFIG_HOME: join(bin, 'config'),
  }
  const early = await runBaton(['service', 'install'], { env })
  expect(early.code).toBe(2)
  expect(early.stderr).toContain('baton up --server <url> --key-stdin')

  const made = await dev.command(['machine', 'add', 'served', '--json'])
  const { key } = JSON.parse(made.stdout)
  const up = await runBaton(['up', '--server', dev.url, '--key-stdin', '--json'], { env, input: key })
  const installed = await runBaton(['service', 'install', '--json'], { env })
  expect(installed.code, installed.stderr).toBe(0)
  const { pid, file } = JSON.parse(installed.stdout)
  expect(pid).not.toBe(JSON.parse(up.stdout).pid)
  expect(await readFile(file, 'utf8')).toContain('KillMode=process')
  const printed = await runBaton(['service', 'print'], { env })
  expect(printed.stdout).toBe(await readFile(file, 'utf8'))

  const gone = await runBaton(['service', 'uninstall', '--json'], { env })
  expect(JSON.parse(gone.stdout)).toEqual({ uninstalled: true, file })
  await eventually(() => expect(() => process.kill(pid, 0)).toThrow())
  expect((await readFile(calls, 'utf8')).trimEnd().split('\n')).toEqual([
    '--user daemon-reload',
    '--user enable baton-runner.service',
    '--user restart baton-runner.service',
    '--user disable --now baton-runner.service',
    '--user daemon-reload',
  ])
  const twice = await runBaton(['service', 'uninstall', '--json'], { env })
  expect(JSON.parse(twice.stdout)).toMatchObject({ uninstalled: false })
})

test('a service manager that is not there is named with what to do instead', async () => {
  await using home = await openHome({ BATON_URL: dev.url })
  const { key } = JSON.parse((await dev.command(['machine', 'add', 'unserved', '--json'])).stdout)
  const env = { ...home.env, XDG_CONFIG_HOME: join(home.env.BATON_HOME ?? '', 'xdg') }
  await runBaton(['up', '--server', dev.url, '--key-stdin'], { env, input: key })
  try {
    const refused = await runBaton(['service', 'install'], { env: { ...env, PATH: '/nowhere' } })
    expect(refused.code).toBe(7)
    expect(refused.stderr).toContain('baton service print')
  } finally {
    await runBaton(['down'], { env })
  }
})
