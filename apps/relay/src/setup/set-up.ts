import {
  connect,
  type Db,
  insertAgent,
  insertMachine,
  insertSignInLink,
  insertToken,
  listAgentViews,
  listMachineViews,
  sql,
  updateAgent,
  updateMachine,
} from '@baton/db'
import { BatonError, type OrganizationId, RUNTIMES, TOKEN_SCOPES, toId, type UserId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { LINK_LIFETIME_MS } from '../api/auth-router.ts'
import type { RelayConfig } from '../config.ts'
import { hashSecret, newSecret } from '../secrets/hash-secret.ts'

const request = z.strictObject({
  organization: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .default('default'),
  userName: z.string().min(1).max(100).default('Owner'),
  email: z.email().optional(),
  machineName: z.string().min(1).max(100).optional(),
  wantMachineKey: z.boolean().default(false),
  wantToken: z.boolean().default(false),
  wantLink: z.boolean().default(false),
  agents: z
    .array(
      z.strictObject({
        key: z.string(),
        name: z.string().optional(),
        runtime: z.enum(RUNTIMES),
        command: z.string().optional(),
        workspace: z.string().optional(),
      }),
    )
    .default([]),
})

/**
 * What an operator with the database in hand may do before anybody can sign in: make the organization and its owner,
 * register a machine, hand out a key, a token or a one-time link. The same request again makes nothing twice; a key or
 * token is new each time it is asked for.
 */
export async function setUp(config: RelayConfig, input: unknown) {
  const parsed = request.safeParse(input)
  if (!parsed.success)
    throw new BatonError('bad_input', `The setup request is not right. ${z.prettifyError(parsed.error)}`)
  const asked = parsed.data
  const connection = connect(config.databaseUrl, { max: 1, name: 'baton setup' })
  try {
    const { db } = connection
    const { organizationId, userId } = await makeOwner(db, asked)
    const member = { organizationId, userId }
    const machine = asked.machineName
      ? await makeMachine(db, organizationId, asked.machineName, asked.wantMachineKey)
      : null
    for (const agent of machine ? asked.agents : [])
      await makeAgent(db, organizationId, machine?.machineId, agent)
    const agents = await listAgentViews(db, organizationId)
    return {
      ...member,
      ...machine,
      agents: agents.map(({ id, key, runtime }) => ({ id, key, runtime })),
      ...(asked.wantToken && { token: await makeToken(db, member) }),
      ...(asked.wantLink && (await makeLink(db, member, config.publicUrl))),
    }
  } finally {
    await connection.close()
  }
}

async function makeOwner(
  db: Db,
  asked: z.infer<typeof request>,
): Promise<{ organizationId: OrganizationId; userId: UserId }> {
  const known = sql<{ organization_id: OrganizationId; user_id: UserId }>`
    select m.organization_id, m.user_id from members m join organizations o on o.id = m.organization_id
    where o.slug = ${asked.organization} and m.role = 'owner' order by m.created_at limit 1`
  const find = async () => (await known.execute(db)).rows[0]
  const before = await find()
  if (before) return { organizationId: before.organization_id, userId: before.user_id }
  await sql`
    with o as (
      insert into organizations (id, slug, name) values (${toId('organization', uuidv7())}, ${asked.organization}, ${asked.organization})
      on conflict (slug) do nothing returning id
    ),
    u as (
      insert into users (id, email, name) select ${toId('user', uuidv7())}, ${asked.email ?? null}, ${asked.userName} from o
      returning id
    )
    insert into members (organization_id, user_id, role) select o.id, u.id, 'owner' from o, u`.execute(db)
  const made = await find()
  if (!made) throw new BatonError('conflict', `Organization "${asked.organization}" exists but has no owner.`)
  return { organizationId: made.organization_id, userId: made.user_id }
}

async function makeMachine(db: Db, organizationId: OrganizationId, name: string, wantKey: boolean) {
  const machineKey = newSecret('sk_machine')
  const [known] = await listMachineViews(db, organizationId, { idOrName: name })
  if (!known) {
    const machineId = toId('machine', uuidv7())
    await insertMachine(db, { id: machineId, organizationId, name, keyHash: hashSecret(machineKey) })
    return { machineId, machineName: name, machineKey }
  }
  if (!wantKey) return { machineId: known.id, machineName: name }
  await updateMachine(db, organizationId, known.id, { keyHash: hashSecret(machineKey) })
  return { machineId: known.id, machineName: name, machineKey }
}

async function makeAgent(
  db: Db,
  organizationId: OrganizationId,
  machineId: `mch_${string}` | undefined,
  agent: z.infer<typeof request>['agents'][number],
) {
  const [known] = await listAgentViews(db, organizationId, { idOrKey: agent.key })
  if (known) {
    if (agent.command && known.command !== agent.command) {
      await updateAgent(db, organizationId, known.id, { command: agent.command })
    }
    return
  }
  if (!machineId) throw new BatonError('bad_input', 'Agents need machineName: the machine that they work on.')
  await insertAgent(db, {
    id: toId('agent', uuidv7()),
    organizationId,
    machineId,
    key: agent.key,
    name: agent.name ?? agent.key,
    runtime: agent.runtime,
    command: agent.command ?? null,
    instructions: '',
    model: null,
    permissionMode: 'edit',
    workspace: agent.workspace ?? null,
    maxConcurrent: 5,
    perHour: null,
  })
}

async function makeToken(
  db: Db,
  member: { organizationId: OrganizationId; userId: UserId },
): Promise<string> {
  const secret = newSecret('bt')
  await insertToken(db, member, {
    id: toId('token', uuidv7()),
    name: 'Made by setup',
    secretHash: hashSecret(secret),
    scopes: TOKEN_SCOPES,
  })
  return secret
}

async function makeLink(
  db: Db,
  member: { organizationId: OrganizationId; userId: UserId },
  publicUrl: string,
) {
  const linkSecret = newSecret('bl')
  const link = {
    id: toId('link', uuidv7()),
    secretHash: hashSecret(linkSecret),
    lifetimeMs: LINK_LIFETIME_MS,
  }
  await insertSignInLink(db, member, link)
  return { linkSecret, linkUrl: `${publicUrl}/#claim=${linkSecret}` }
}

export async function readJsonFromStdin(): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8').trim()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BatonError('bad_input', 'The setup request on stdin is no JSON.', { cause })
  }
}
