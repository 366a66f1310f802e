import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineFacts } from '@baton/protocol'
import { createLogger } from '@baton/service'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultPolicy } from './config/policy.ts'
import { createMachineFacts } from './machine-facts.ts'
import { writeWorktree } from './workspaces/worktrees/worktree-record.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-facts-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const record = (run: string, kept: boolean) => ({
  runId: `run_${run.repeat(32)}` as const,
  agentKey: 'demo',
  jobKey: null,
  repository: '/project',
  commonDir: '/project/.git',
  folder: kept ? `/trees/${run}` : null,
  admin: null,
  branch: `baton/${run}`,
  base: 'main',
  createdAt: 1,
  endedAt: 2,
  hasNested: false,
})

async function facts(policy: Parameters<typeof createMachineFacts>[0]['policy']) {
  const worktrees = { trees: join(folder, 't'), records: join(folder, 'r'), repositories: join(folder, 'g') }
  await writeWorktree(worktrees, record('a', true))
  await writeWorktree(worktrees, record('b', false))
  const read = await createMachineFacts({
    policy,
    worktrees,
    stateFolder: folder,
    onChange: async () => undefined,
    logger: createLogger({ name: 'test', level: 'silent' }),
  })
  return machineFacts.parse(read.now())
}

test('a machine tells the rules of its policy, and no command line of it', async () => {
  const value = {
    ...defaultPolicy({ deploy: { argv: ['/bin/sh', 'secret-word'], format: 'text' } }),
    folders: ['~/work'],
  }
  const { policy } = await facts(async () => ({ ok: true, value }))
  expect(policy).toMatchObject({
    folders: ['~/work'],
    permissionModes: ['read_only', 'edit'],
    secrets: false,
  })
  expect(JSON.stringify(policy)).not.toContain('secret-word')
})

test('a machine counts the worktrees whose folders are kept, also when its policy cannot be read', async () => {
  const { policy, storage } = await facts(async () => ({ ok: false, problems: ['it is no JSON'] }))
  expect([policy, storage?.worktrees]).toEqual([null, 1])
  expect(storage?.freeBytes).toBeLessThanOrEqual(storage?.totalBytes ?? 0)
})
