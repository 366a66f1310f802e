import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bubblewrapArguments, secretFolders } from './bubblewrap.ts'

const whyNot = cannotRun()
if (whyNot) console.warn(`The sandbox is not tested: ${whyNot}`)

function cannotRun(): string | null {
  try {
    execFileSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', 'true'], {
      stdio: 'pipe',
    })
    return null
  } catch (error) {
    return `bwrap cannot be run here (${String((error as Error).message).split('\n')[0]}).`
  }
}

describe.skipIf(whyNot !== null)('in a sandbox', () => {
  let place: string
  let cwd: string
  let own: string
  beforeEach(async () => {
    place = await realpath(await mkdtemp(join(tmpdir(), 'baton-bwrap-')))
    cwd = join(place, 'work')
    own = join(place, 'own')
    await mkdir(cwd)
    await mkdir(own)
    await writeFile(join(own, 'machine.key'), 'sk_machine_secret\n')
  })
  afterEach(() => rm(place, { recursive: true, force: true }))

  async function run(script: string, more: Partial<Parameters<typeof bubblewrapArguments>[0]> = {}) {
    const plan = { cwd, network: false, hidden: [own], readable: [], writable: [cwd], fixed: [], ...more }
    const done = await execa('bwrap', [...bubblewrapArguments(plan), '/bin/sh', '-c', script], {
      reject: false,
    })
    return { code: done.exitCode, out: `${done.stdout}${done.stderr}` }
  }

  test('an agent writes in its workspace and nowhere else', async () => {
    const outside = join(homedir(), `.baton-sandbox-${process.pid}`)
    const tried = [outside, '/etc/baton-sandbox', '/usr/baton-sandbox', join(place, 'beside')]
    const { out } = await run(
      `echo mine > file; ${tried.map((path) => `echo x 2>&1 > "${path}" && echo "wrote ${path}"`).join('; ')}; ls -a /tmp`,
    )
    expect(await readFile(join(cwd, 'file'), 'utf8')).toBe('mine\n')
    expect(tried.map((path) => existsSync(path))).toEqual([false, false, false, false])
    expect(out).not.toContain('baton-sandbox-test')
  })

  test("Baton's own files and the home's keys are not there, also when a link leads to them", async () => {
    const { out } = await run(
      `ls "${own}"; cat "${own}/machine.key"; ln -s "${own}" link; cat link/machine.key`,
    )
    expect(out).not.toContain('sk_machine_secret')
    expect(secretFolders('/home/me')).toContain('/home/me/.ssh')
  })

  test('it sees no process but its own, and none of them outlives it', async () => {
    const { out } = await run(
      `ls /proc | grep -c '^[0-9]'; (setsid sleep ${process.pid}9000 >/dev/null 2>&1 &); cat /proc/1/comm`,
    )
    const [count = '', first] = out.split('\n')
    expect(Number(count)).toBeLessThan(6)
    expect(first).toBe('bwrap')
    expect(
      execFileSync('sh', ['-c', `ps ax | grep -c "[s]leep ${process.pid}9000" || true`])
        .toString()
        .trim(),
    ).toBe('0')
  })

  test('it has no capabilities, no new privileges, and no network unless it may', async () => {
    const { out } = await run(`grep -E 'CapEff|NoNewPrivs' /proc/self/status; grep -c : /proc/net/dev`)
    expect(out).toMatch(/CapEff:\s+0000000000000000/)
    expect(out).toMatch(/NoNewPrivs:\s+1/)
    expect(out.trim().split('\n').at(-1)).toBe('1')
  })

  test('what is fixed in a writable folder cannot be changed, moved or replaced', async () => {
    const config = join(cwd, 'config')
    await writeFile(config, 'as it was\n')
    const { out } = await run(
      `echo x > config; mv config other; rm -f config; ln -sf /etc/passwd config; true`,
      {
        fixed: [config],
      },
    )
    expect(await readFile(config, 'utf8')).toBe('as it was\n')
    expect(out).toMatch(/Read-only|busy/i)
  })

  test('what can be read although it lies in something hidden', async () => {
    const event = join(own, 'event')
    await writeFile(event, 'the event\n')
    const { out } = await run(`cat "${event}"; echo x > "${event}"; ls "${own}"`, { readable: [event] })
    expect(out).toContain('the event')
    expect(out).toContain('Read-only')
    expect(out).not.toContain('machine.key')
  })
})
