import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Budget, PushedDelivery, SkillRef, Usage } from '@baton/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultPolicy } from '../../config/policy.ts'
import { createClaudeReader } from '../claude-reader.ts'
import { agentFolder, makeAgentFolder, readMemory } from './agent-folder.ts'
import { leastPower } from './least-power.ts'
import { goOnWith, NUDGE } from './run-prompt.ts'
import { syncSkills } from './sync-skills.ts'
import { tellProfile } from './tell-profile.ts'
import { createBudgetReader, spentBudget } from './watch-budget.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-profile-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const delivery = (only: Partial<PushedDelivery> = {}): PushedDelivery =>
  ({
    agent: {
      key: 'helper',
      runtime: 'claude',
      instructions: 'Be brief.',
      permissionMode: 'full',
      secretNames: ['TOKEN'],
      skills: [],
    },
    trust: 'public',
    publicRights: null,
    workspace: { path: null, scratch: false, worktree: null },
    prompt: 'Do it.',
    job: { id: 'job_1', key: 'deploy' },
    sessionId: null,
    sessionCwd: null,
    nudge: false,
    ...only,
  }) as PushedDelivery
const policy = { ...defaultPolicy(), environment: ['EDITOR_THEME'] }

test('work of a member keeps everything that its agent has', () => {
  const power = leastPower(delivery({ trust: 'member' }), policy)
  expect(power.delivery.agent).toMatchObject({ permissionMode: 'full', secretNames: ['TOKEN'] })
  expect(power).toMatchObject({ limited: [], environment: ['EDITOR_THEME'] })
})

test.each([
  ['nobody grants anything', null, {}],
  ['only the job asks', { trust: 'member', permissionMode: 'edit' }, {}],
  ['only the policy agrees', null, { permissionModes: ['edit'], trustedJobs: ['*'] }],
  ['the policy trusts another job', { trust: 'member', permissionMode: null }, { trustedJobs: ['other'] }],
] as const)('work from outside gets the least power when %s', (_, publicRights, granted) => {
  const own = { ...policy, public: { ...policy.public, ...granted } } as typeof policy
  const power = leastPower(delivery({ publicRights } as never), own)
  expect(power.delivery).toMatchObject({
    trust: 'public',
    agent: { permissionMode: 'read_only', secretNames: [], skills: [] },
    workspace: { scratch: true },
  })
  expect(power.environment).toEqual([])
  expect(power.limited.join()).toContain('from outside')
})

test('a job and a policy that agree give more, and never more than the agent has', () => {
  const own = { ...policy, public: { ...policy.public, permissionModes: ['edit', 'full'] } } as typeof policy
  const asking = (permissionMode: 'edit' | 'full', has: 'read_only' | 'edit') =>
    leastPower(
      delivery({
        publicRights: { trust: 'public', permissionMode },
        agent: { ...delivery().agent, permissionMode: has },
      }),
      own,
    ).delivery.agent.permissionMode
  expect(asking('edit', 'edit')).toBe('edit')
  expect(asking('full', 'edit')).toBe('edit')
  expect(asking('edit', 'read_only')).toBe('read_only')
})

test('a trusted job of a policy that trusts it is work of a member', () => {
  const own = { ...policy, public: { ...policy.public, trustedJobs: ['deploy'] } }
  const power = leastPower(delivery({ publicRights: { trust: 'member', permissionMode: null } }), own)
  expect(power.delivery).toMatchObject({ trust: 'member', agent: { secretNames: ['TOKEN'] } })
})

test('a memory survives, and the agent is told where it is and what it may do with it', async () => {
  const at = agentFolder(folder, 'helper')
  if (!at) throw new Error('no folder')
  await makeAgentFolder(at)
  await writeFile(at.memory, 'Tests live in test/.')
  await mkdir(join(at.notes, 'deep'))
  await writeFile(join(at.notes, 'deep', 'a.md'), 'x')
  await makeAgentFolder(at)
  expect(await readMemory(at)).toEqual({ text: 'Tests live in test/.', notes: ['deep/a.md'] })
  const told = tellProfile(delivery(), at)
  expect(told).toContain('Be brief.')
  expect(told).toContain(at.memory)
  const reading = { ...delivery().agent, permissionMode: 'read_only' as const }
  expect(tellProfile(delivery({ agent: reading }), at)).toContain('may only read')
  expect(agentFolder(folder, '../elsewhere')).toBeNull()
})

const skill = (name: string, text: string): SkillRef & { text: string } => ({
  name,
  description: name,
  text,
  hash: createHash('sha256').update(text).digest('hex'),
})

test('skills are written, replaced and removed, and their texts are asked for only when they changed', async () => {
  let asked = 0
  const sync = (skills: ReturnType<typeof skill>[]) =>
    syncSkills(folder, skills, async () => {
      asked++
      return skills
    })
  const first = skill('notes', 'one')
  expect(await sync([first])).toMatchObject({ written: ['notes'] })
  expect(await sync([first])).toEqual({ written: [], removed: [], kept: [] })
  expect(asked).toBe(1)
  expect(await sync([skill('notes', 'two')])).toMatchObject({ written: ['notes'] })
  expect(await readFile(join(folder, 'notes', 'SKILL.md'), 'utf8')).toBe('two')
  expect(await sync([])).toMatchObject({ removed: ['notes'] })
  await expect(readFile(join(folder, 'notes', 'SKILL.md'))).rejects.toThrow('ENOENT')
})

test('a skill that a person wrote or changed is never replaced or removed', async () => {
  await mkdir(join(folder, 'mine'))
  await writeFile(join(folder, 'mine', 'SKILL.md'), 'by hand')
  const sync = (skills: ReturnType<typeof skill>[]) => syncSkills(folder, skills, async () => skills)
  await sync([skill('theirs', 'one')])
  await writeFile(join(folder, 'theirs', 'SKILL.md'), 'changed by hand')
  expect(await sync([skill('mine', 'x'), skill('theirs', 'two')])).toMatchObject({
    written: [],
    kept: ['mine', 'theirs'],
  })
  expect(await sync([])).toMatchObject({ removed: [] })
  expect(await readFile(join(folder, 'mine', 'SKILL.md'), 'utf8')).toBe('by hand')
  expect(await readFile(join(folder, 'theirs', 'SKILL.md'), 'utf8')).toBe('changed by hand')
})

test('a nudge replaces the prompt only where the conversation can be gone on with', () => {
  const nudged = delivery({ sessionId: 's', sessionCwd: '/w', nudge: true })
  expect(goOnWith(nudged, '/w').delivery.prompt).toBe(NUDGE)
  expect(goOnWith(nudged, '/elsewhere')).toMatchObject({
    delivery: { prompt: 'Do it.', sessionId: null, nudge: false },
    note: expect.stringContaining('/elsewhere'),
  })
  const codex = { ...nudged, agent: { ...nudged.agent, runtime: 'codex' as const } }
  expect(goOnWith(codex, '/elsewhere').delivery).toMatchObject({ prompt: NUDGE, sessionId: 's' })
  expect(goOnWith(delivery({ nudge: true }), '/w').delivery.prompt).toBe('Do it.')
})

const budget = (only: Partial<Budget>): Budget => ({
  runUsd: null,
  runTokens: null,
  dayUsd: null,
  dayTokens: null,
  ...only,
})
const usage = (costUsd: number | null, tokens: number): Usage => ({
  inputTokens: tokens,
  outputTokens: 1,
  cachedTokens: 0,
  costUsd,
  model: null,
})

test.each([
  [budget({}), usage(99, 1e9), null],
  [budget({ runUsd: 1 }), usage(0.99, 5), null],
  [budget({ runUsd: 1 }), usage(1, 5), 'run'],
  [budget({ runUsd: 1 }), usage(null, 5), null],
  [budget({ runTokens: 100 }), usage(null, 99), 'run'],
  [budget({ dayUsd: 0.5, runUsd: 2 }), usage(0.6, 5), 'day'],
  [budget({ dayTokens: 10 }), usage(null, 10), 'day'],
] as const)('of %o the use of %o uses up: %s', (limits, used, of) => {
  expect(spentBudget(used, limits)?.of ?? null).toBe(of)
  expect(spentBudget(null, limits)).toBeNull()
})

test('a run that was done before its budget could end it is done, and says what it used', () => {
  const exit = { exitCode: 0, signal: null, error: null, message: null }
  const ended = (limits: Budget) => {
    const events = [
      { type: 'assistant', message: { id: 'm', content: [{ type: 'text', text: 'Hi.' }] } },
      { type: 'result', subtype: 'success', result: 'Hi.', usage: { input_tokens: 90, output_tokens: 20 } },
    ]
    const claude = createClaudeReader({ twoWay: true, expectsChanges: false })
    const reader = createBudgetReader(claude, limits, () => expect.unreachable())
    const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    reader.read({ stream: 'stdout', bytes, atMs: 0 })
    return reader.end(exit, { stopReason: null, changedFiles: null })
  }
  const over = ended(budget({ runTokens: 100 }))
  expect(over.end).toMatchObject({ state: 'succeeded', usage: { inputTokens: 90 } })
  expect(over.events.at(-1)).toMatchObject({ type: 'warning', text: expect.stringContaining('budget') })
  expect(ended(budget({ runTokens: 1_000 })).events.map(({ type }) => type)).not.toContain('warning')
})
