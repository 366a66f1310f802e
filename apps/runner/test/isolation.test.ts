import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgentIsolation, agentIsolation } from '@baton/protocol'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isolationPolicy } from '../src/config/isolation-policy.ts'
import type { ProfilePaths } from '../src/config/paths.ts'
import { type RunnerProcess, startRunnerProcess, untilIdle } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

/** Others may run these tests on the same machine: nobody else sleeps for so long. */
const nap = (kind: number) => `${process.pid}${kind}000`
const isGone = (kind: number) => probe('sh', '-c', `ps ax | grep -q "[s]leep ${process.pid}${kind}"`) !== null

const FAKE = new URL('./fixtures/fake-docker.mjs', import.meta.url).pathname

/** Null when it works here; else why not. */
function probe(file: string, ...args: string[]): string | null {
  try {
    execFileSync(file, args, { stdio: 'pipe', timeout: 10_000 })
    return null
  } catch (error) {
    return String((error as Error).message)
      .split('\n')
      .slice(0, 2)
      .join(' ')
  }
}

const IMAGE = process.env.BATON_TEST_IMAGE ?? 'busybox:latest'
const without = {
  bubblewrap: probe('bwrap', '--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', 'true'),
  'a stand-in for docker': probe('unshare', '--pid', '--fork', '--mount-proc', 'true'),
  'a real container engine':
    probe('docker', 'version', '--format', '{{.Server.Version}}') ??
    probe('docker', 'image', 'inspect', IMAGE),
}
for (const [what, why] of Object.entries(without))
  if (why) console.warn(`Not tested here with ${what}: ${why}`)

let place: TestPlace
let made = 0

type Runner = { runner: RunnerProcess; home: string; paths: ProfilePaths; bin: string }

async function startRunner(name: string, bin: string): Promise<Runner> {
  const { home, paths } = await place.makeHome(name, place.relay.url, {
    commands: { shell: { argv: ['/bin/sh'], format: 'text' } },
    environment: ['VISIBLE'],
    isolation: isolationPolicy.parse({ images: [IMAGE, 'fake:1', 'missing:1'], requireFor: [] }),
  })
  const env = { PATH: `${bin}:${process.env.PATH}`, VISIBLE: 'seen', HIDDEN: 'never' }
  const runner = startRunnerProcess(home, { env })
  await runner.ready
  return { runner, home, paths, bin }
}

async function newAgent(
  isolation: Partial<AgentIsolation> & { kind: AgentIsolation['kind'] },
): Promise<string> {
  made += 1
  const { key } = await place.api.agents.create.mutate({
    key: `agent-${made}`,
    machineId: place.machineId,
    runtime: 'command',
    command: 'shell',
    isolation: agentIsolation.parse(isolation),
  })
  return key
}

const outputOf = async (id: string) =>
  (await place.events(id))
    .filter(({ type }) => type === 'output' || type === 'message')
    .map(({ text }) => text)
    .join('')

beforeAll(async () => {
  place = await createTestPlace()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose](), 30_000)

describe.skipIf(without.bubblewrap !== null)('in bubblewrap', () => {
  let own: Runner
  beforeAll(async () => {
    const bin = join(place.folder, 'no-bin')
    await mkdir(bin)
    own = await startRunner('sandboxed', bin)
  }, 60_000)
  afterAll(() => own?.runner[Symbol.asyncDispose](), 30_000)

  test('a run works in its folder, sees nothing of Baton, and what it started is gone with it', async () => {
    const agent = await newAgent({ kind: 'bubblewrap', network: false })
    const work = join(place.folder, 'sandboxed-work')
    await mkdir(work)
    const script = `echo made > file; echo "$VISIBLE-$HIDDEN-$BATON_RUN_ID"; cat "$BATON_EVENT_PATH"
cat "${own.paths.keyFile}" "${own.paths.policyFile}"; ls "${own.paths.runsFolder}"
echo x > "${place.folder}/outside"; touch "$TMPDIR/ok" && echo tmp-ok
(setsid sleep ${nap(1)} &) ; grep -c : /proc/net/dev`
    const id = await place.run(script, { agent, workspace: work })
    const run = await place.untilFinished(id)
    expect(run).toMatchObject({ state: 'succeeded', changes: { filesChanged: 1 } })
    const said = await outputOf(id)
    expect(said).toContain(`seen--${id}`)
    expect(said).toContain('tmp-ok')
    expect(said).not.toContain('sk_machine')
    expect(existsSync(join(place.folder, 'outside'))).toBe(false)
    expect(isGone(1)).toBe(true)
  })

  test('a cancelled run and its whole tree end at once', async () => {
    const agent = await newAgent({ kind: 'bubblewrap' })
    const work = join(place.folder, 'cancelled-work')
    await mkdir(work)
    const id = await place.run(`trap "" TERM; (setsid sleep ${nap(2)} &); touch ready; sleep ${nap(2)}`, {
      agent,
      workspace: work,
    })
    await eventually(() => stat(join(work, 'ready')))
    await place.api.runs.cancel.mutate({ id })
    const run = await place.untilFinished(id)
    expect(run).toMatchObject({ state: 'cancelled', killProof: { survivors: 0 } })
    expect(isGone(2)).toBe(true)
  })

  test('it commits in a worktree and cannot change what runs outside of the sandbox', async () => {
    const agent = await newAgent({ kind: 'bubblewrap', network: false })
    const repository = join(place.folder, 'sandboxed-repository')
    await mkdir(repository)
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.email=a@b', '-c', 'user.name=n', ...args], {
        stdio: 'pipe',
      }).toString()
    git('init', '-q', '-b', 'main')
    git('commit', '-q', '--allow-empty', '-m', 'first')
    const script = `echo x > file; git add file
git -c user.email=a@b -c user.name=n commit -qm "from inside" && echo committed
git config core.fsmonitor /bin/false && echo configured
echo "#!/bin/sh" > "$(git rev-parse --git-common-dir)/hooks/post-commit" && echo hooked
git update-ref refs/heads/main HEAD && echo moved`
    const id = await place.run(script, { agent, workspace: `worktree:${repository}` })
    const run = await place.untilFinished(id)
    const said = await outputOf(id)
    expect(run.changes?.commits.map(({ subject }) => subject)).toEqual(['from inside'])
    expect(said).toContain('committed')
    for (const word of ['configured', 'hooked', 'moved']) expect(said).not.toContain(word)
    expect(git('log', '-1', '--format=%s', 'main').trim()).toBe('first')
  })
})

describe('without what it needs', () => {
  test('a sandbox or container that the policy or the machine does not have is told with what to do', async () => {
    const bin = join(place.folder, 'empty-bin')
    await mkdir(bin)
    const own = await startRunner('bare', bin)
    try {
      const agent = await newAgent({ kind: 'container', image: 'not-named:1' })
      const id = await place.run('true', { agent, workspace: 'scratch' })
      const run = await place.until(id, (now) => now.deliveryState === 'failed')
      expect(run.sentence).toContain('policy names no image not-named:1')
    } finally {
      await own.runner[Symbol.asyncDispose]()
    }
  })
})

describe.skipIf(without['a stand-in for docker'] !== null)('in containers of a stand-in', () => {
  let own: Runner
  beforeAll(async () => {
    const bin = join(place.folder, 'fake-bin')
    await mkdir(bin)
    await copyFile(FAKE, join(bin, 'docker'))
    await chmod(join(bin, 'docker'), 0o755)
    own = await startRunner('contained', bin)
  }, 60_000)
  afterAll(async () => {
    await own?.runner[Symbol.asyncDispose]()
    for (const name of await containers()) execFileSync(join(own.bin, 'docker'), ['rm', '--force', name])
  }, 30_000)

  const state = () => join(own.bin, '.containers')
  const containers = async () =>
    (await readdir(state())).flatMap((name) => /^(baton-.*)\.json$/.exec(name)?.[1] ?? [])
  const calls = async (command: string): Promise<{ argv: string[]; env: string[] }[]> =>
    (await readFile(join(state(), 'calls.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ argv }) => argv[0] === command)

  test('the container is made once and found again, and values are on no argv', async () => {
    const agent = await newAgent({ kind: 'container', image: 'fake:1', network: 'none' })
    const work = join(place.folder, 'contained-work')
    await mkdir(work)
    const script = 'echo "$VISIBLE-$HIDDEN-$HOME-$TMPDIR"; cat "$BATON_EVENT_PATH"; echo x >> made'
    const first = await place.untilFinished(await place.run(script, { agent, workspace: work }))
    expect(first).toMatchObject({ state: 'succeeded', changes: { filesChanged: 1 } })
    const said = await outputOf(first.id)
    expect(said).toContain(`seen--${own.paths.containersFolder}/${agent}/home-`)
    expect(said).toContain('null')
    await untilIdle(own.paths)
    await own.runner.kill('SIGKILL')
    own.runner = startRunnerProcess(own.home, {
      env: { PATH: `${own.bin}:${process.env.PATH}`, VISIBLE: 'seen again' },
    })
    await own.runner.ready
    await place.untilFinished(await place.run(script, { agent, workspace: work }))
    expect((await calls('run')).filter(({ argv }) => argv.includes(`baton.agent=${agent}`))).toHaveLength(1)
    const inner = (await calls('exec')).filter(({ argv }) => argv.includes('VISIBLE'))
    expect(inner).toHaveLength(2)
    expect(JSON.stringify(inner.map(({ argv }) => argv))).not.toContain('seen')
    expect(inner[0]?.env).toContain('VISIBLE')
    await untilIdle(own.paths)
    expect(await readdir(join(own.paths.containersFolder, agent, 'runs'))).toEqual([])
  })

  test('a cancel ends what runs inside, also what hides there', async () => {
    const agent = await newAgent({ kind: 'container', image: 'fake:1', network: 'none' })
    const work = join(place.folder, 'contained-cancel')
    await mkdir(work)
    const script = `env -i setsid sleep ${nap(3)} & setsid sleep ${nap(4)} & touch ready; sleep ${nap(5)}`
    const id = await place.run(script, { agent, workspace: work })
    await eventually(() => stat(join(work, 'ready')))
    await place.api.runs.cancel.mutate({ id })
    const run = await place.untilFinished(id)
    expect(run).toMatchObject({ state: 'cancelled', killProof: { survivors: 0 } })
    expect(run.killProof?.signals.map(({ signal }) => signal)).toContain('SIGTERM inside')
    expect([3, 4, 5].map(isGone)).toEqual([true, true, true])
    expect((await containers()).some((name) => name.includes(agent))).toBe(true)
  })

  test('a runner that comes back ends what nobody holds and removes what nobody knows', async () => {
    const agent = await newAgent({ kind: 'container', image: 'fake:1', network: 'none' })
    const work = join(place.folder, 'contained-orphan')
    await mkdir(work)
    await place.untilFinished(await place.run('true', { agent, workspace: work }))
    await untilIdle(own.paths)
    const [name] = (await containers()).filter((one) => one.includes(agent))
    const note = join(own.paths.containersFolder, '.notes', `${name}.json`)
    await own.runner.kill('SIGKILL')
    await rm(note)
    own.runner = startRunnerProcess(own.home, { env: { PATH: `${own.bin}:${process.env.PATH}` } })
    await own.runner.ready
    await eventually(async () => expect(await containers()).not.toContain(name))
  })

  test('an image that cannot be had fails the run with what to do', async () => {
    const agent = await newAgent({ kind: 'container', image: 'missing:1', network: 'none' })
    const run = await place.untilFinished(await place.run('true', { agent, workspace: 'scratch' }))
    expect(run).toMatchObject({ state: 'failed', errorKind: 'container' })
    expect(run.message).toContain('docker pull missing:1')
  })
})

describe.skipIf(without['a real container engine'] !== null)('in real containers', () => {
  let own: Runner
  beforeAll(async () => {
    const bin = join(place.folder, 'real-bin')
    await mkdir(bin)
    own = await startRunner('real', bin)
  }, 60_000)
  afterAll(async () => {
    await own?.runner[Symbol.asyncDispose]()
    const names = execFileSync('docker', ['ps', '-aq', '--filter', 'label=baton.agent']).toString().trim()
    if (names !== '') execFileSync('docker', ['rm', '--force', ...names.split('\n')], { stdio: 'pipe' })
  }, 60_000)

  test('a run writes in its folder alone, without capabilities, within its bounds', {
    timeout: 60_000,
  }, async () => {
    const agent = await newAgent({ kind: 'container', image: IMAGE, network: 'none', memoryMb: 64, pids: 32 })
    const work = join(place.folder, 'real-work')
    await mkdir(work)
    const script = `echo made > file; echo "$VISIBLE-$HIDDEN"; grep -E "CapEff|NoNewPrivs" /proc/self/status
echo x > /etc/x && echo wrote-etc; echo x > /tmp/x && echo wrote-tmp; echo x > "$HOME/x" && echo wrote-home
ls "${own.paths.stateFolder}" "${place.folder}/.." 2>&1 | head -3; cat "$BATON_EVENT_PATH"; ls /proc | grep -c "^[0-9]"`
    const run = await place.untilFinished(await place.run(script, { agent, workspace: work }), 60_000)
    const said = await outputOf(run.id)
    expect(run).toMatchObject({ state: 'succeeded', changes: { filesChanged: 1 } })
    expect(said).toMatch(/CapEff:\s+0{16}/)
    expect(said).toMatch(/NoNewPrivs:\s+1/)
    expect(said).toContain('seen-\n')
    expect(said).not.toContain('wrote-etc')
    for (const word of ['wrote-tmp', 'wrote-home', 'null']) expect(said).toContain(word)
    expect((await stat(join(work, 'file'))).uid).toBe(process.getuid?.())
  })

  test('a cancel ends what runs inside, what hides there and what forks without end', {
    timeout: 60_000,
  }, async () => {
    const agent = await newAgent({ kind: 'container', image: IMAGE, network: 'none', pids: 64 })
    const work = join(place.folder, 'real-cancel')
    await mkdir(work)
    const script = `env -i setsid sleep ${nap(6)} & setsid sleep ${nap(7)} & touch ready; sleep ${nap(8)}`
    const id = await place.run(script, { agent, workspace: work })
    await eventually(() => stat(join(work, 'ready')), { timeoutMs: 20_000 })
    await place.api.runs.cancel.mutate({ id })
    const run = await place.untilFinished(id, 30_000)
    expect(run).toMatchObject({ state: 'cancelled', killProof: { survivors: 0 } })
    expect([6, 7, 8].map(isGone)).toEqual([true, true, true])
  })

  test('a runner killed in mid-run adopts it, and the container serves the next', {
    timeout: 60_000,
  }, async () => {
    const agent = await newAgent({ kind: 'container', image: IMAGE, network: 'none' })
    const work = join(place.folder, 'real-adopt')
    await mkdir(work)
    const id = await place.run('touch ready; while [ ! -e go ]; do sleep 0.1; done; echo went', {
      agent,
      workspace: work,
    })
    await eventually(() => stat(join(work, 'ready')), { timeoutMs: 20_000 })
    await own.runner.kill('SIGKILL')
    own.runner = startRunnerProcess(own.home, { env: { PATH: `${process.env.PATH}` } })
    await own.runner.ready
    await writeFile(join(work, 'go'), '')
    expect(await place.untilFinished(id, 30_000)).toMatchObject({ state: 'succeeded' })
    expect(await outputOf(id)).toContain('went')
    const again = await place.untilFinished(await place.run('echo again', { agent, workspace: work }), 30_000)
    expect(again).toMatchObject({ state: 'succeeded' })
    const count = execFileSync('docker', ['ps', '-q', '--filter', `label=baton.agent=${agent}`])
      .toString()
      .trim()
    expect(count.split('\n')).toHaveLength(1)
  })
})
