import { expect, test } from 'vitest'
import {
  type ContainerPlan,
  containerName,
  endInsideArguments,
  execArguments,
  runArguments,
} from './container-plan.ts'

const plan: ContainerPlan = {
  installation: 'abcdef0123456789',
  agentKey: 'claude',
  runtime: 'claude',
  isolation: {
    kind: 'container',
    image: 'node:24',
    engine: 'auto',
    memoryMb: 2_048,
    cpus: 1.5,
    pids: 300,
    network: 'none',
  },
  mounts: [
    { path: '/home/me/project', writable: true },
    { path: '/home/me/project/.git/hooks', writable: false },
    { path: '/home/me/with,comma"and quote', writable: true },
  ],
  user: '1000:1000',
}

test('a container has no capabilities, no new privileges, a read-only root and bounds', () => {
  const args = runArguments(plan, 'name', 'docker').join(' ')
  for (const words of [
    '--read-only',
    '--tmpfs /tmp:rw,nosuid,nodev,mode=1777',
    '--cap-drop ALL',
    '--security-opt no-new-privileges',
    '--network none',
    '--memory 2048m --memory-swap 2048m',
    '--cpus 1.5',
    '--pids-limit 300',
    '--user 1000:1000',
    '--mount type=bind,src=/home/me/project,dst=/home/me/project ',
    '--mount type=bind,src=/home/me/project/.git/hooks,dst=/home/me/project/.git/hooks,readonly',
    '--mount type=bind,"src=/home/me/with,comma""and quote","dst=/home/me/with,comma""and quote"',
  ])
    expect(args).toContain(words)
  for (const never of ['--privileged', '--pid ', '--pid=', '--cap-add', 'docker.sock', '--device'])
    expect(args).not.toContain(never)
  expect(args).not.toContain('--userns')
  expect(runArguments(plan, 'name', 'podman')).toContain('keep-id')
})

test('its name is the same after a restart and another one with other settings', () => {
  expect(containerName(plan)).toMatch(/^baton-abcdef01-claude-[0-9a-f]{10}$/)
  expect(containerName(plan)).toBe(containerName(structuredClone(plan)))
  const others: Partial<ContainerPlan>[] = [
    { isolation: { ...plan.isolation, memoryMb: 1_024 } },
    { isolation: { ...plan.isolation, image: 'node:25' } },
    { mounts: plan.mounts.slice(1) },
    { user: null },
  ]
  for (const other of others) expect(containerName({ ...plan, ...other })).not.toBe(containerName(plan))
})

test('values of the environment are never on an argv, and what means this machine does not go in', () => {
  const env = {
    SECRET: 'hunter2',
    PATH: '/usr/bin',
    HOME: '/home/me',
    XDG_CACHE_HOME: '/x',
    DOCKER_HOST: 'd',
    LANG: 'C',
  }
  const args = execArguments('name', {
    cwd: '/home/me/project',
    home: '/inside/home',
    tmp: '/inside/tmp',
    names: Object.keys(env),
    argv: ['claude', '-p'],
  })
  expect(args).toEqual([
    'exec',
    '--interactive',
    ...['--workdir', '/home/me/project', '--env', 'HOME=/inside/home'],
    ...['--env', 'TMPDIR=/inside/tmp', '--env', 'TMP=/inside/tmp', '--env', 'TEMP=/inside/tmp'],
    ...['--env', 'LANG', '--env', 'SECRET', 'name', 'claude', '-p'],
  ])
})

test('the script that ends what is left does nothing outside of a container', () => {
  const [, , , , shell, , script, ...words] = endInsideArguments('name', 'BATON_RUN_ID=run_1')
  expect(shell).toBe('/bin/sh')
  expect(words).toEqual(['sh', 'BATON_RUN_ID=run_1'])
  expect(script).toContain('/proc/1/environ | grep -qxF BATON_CALL=holder || exit 3')
})
