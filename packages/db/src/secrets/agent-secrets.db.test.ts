import { createTestDatabase, makeDelivery, makePlace, type Place } from '@baton/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ofMachine } from '../deliveries/of-machine.ts'
import {
  acceptDeliveries,
  type Connection,
  connect,
  deleteAgentSecret,
  leaseDeliveries,
  listAgentSecrets,
  listRunSecrets,
  listRunSkills,
  setAgentSecret,
  setAgentSkill,
} from '../index.ts'

let database: Awaited<ReturnType<typeof createTestDatabase>>
let connection: Connection
let place: Place

beforeAll(async () => {
  database = await createTestDatabase()
  connection = connect(database.url)
})
afterAll(async () => {
  await connection?.close()
  await database?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  place = await makePlace(connection.db)
})

const secret = (sealed = 'sealed', name = 'TOKEN') => ({ agentId: place.agentId, name, sealed })
const lease = async () => {
  await makeDelivery(connection.db, place)
  const [leased] = await leaseDeliveries(connection.db, place.machineId, {
    sessionEpoch: place.sessionEpoch,
    slots: 1,
    leaseMs: 30_000,
    bodyBytes: 0,
  })
  if (!leased) throw new Error('Nothing was leased.')
  return leased
}

test('a secret is set anew, listed by its name and deleted, by its own organization alone', async () => {
  const stranger = await makePlace(connection.db)
  expect(await setAgentSecret(connection.db, stranger.organizationId, secret())).toBe(false)
  expect(await setAgentSecret(connection.db, place.organizationId, secret('one'))).toBe(true)
  expect(await setAgentSecret(connection.db, place.organizationId, secret('two'))).toBe(true)
  const listed = await listAgentSecrets(connection.db, place.organizationId, place.agentId)
  expect(listed).toEqual([{ name: 'TOKEN', updatedAt: expect.any(Number) }])
  expect(await listAgentSecrets(connection.db, stranger.organizationId, place.agentId)).toEqual([])
  const remove = (organizationId: Place['organizationId']) =>
    deleteAgentSecret(connection.db, organizationId, place.agentId, 'TOKEN')
  expect([await remove(stranger.organizationId), await remove(place.organizationId)]).toEqual([false, true])
})

test('only the machine that holds the run under this fence is given what belongs to it', async () => {
  await setAgentSecret(connection.db, place.organizationId, secret('sealed text'))
  const skill = { name: 'notes', description: 'd', text: 't', hash: '0'.repeat(64) }
  await setAgentSkill(connection.db, place.organizationId, place.agentId, skill)
  const { id, runId, fence, agent } = await lease()
  expect(agent.secretNames).toEqual(['TOKEN'])
  expect(agent.skills).toEqual([{ name: 'notes', description: 'd', hash: skill.hash }])
  const ask = (machineId = place.machineId, under = fence) =>
    listRunSecrets(connection.db, machineId, runId, under)
  expect(await ask()).toBeNull()
  await acceptDeliveries(
    connection.db,
    ofMachine(place.machineId, [{ deliveryId: id, runId, fence }]),
    30_000,
  )
  expect(await ask()).toEqual([secret('sealed text')])
  expect(await listRunSkills(connection.db, place.machineId, runId, fence)).toEqual([skill])
  expect(await ask((await makePlace(connection.db)).machineId)).toBeNull()
  expect(await ask(place.machineId, fence + 1)).toBeNull()
})

test('an agent without secrets has an empty list, which is not the same as no run', async () => {
  const { id, runId, fence } = await lease()
  await acceptDeliveries(
    connection.db,
    ofMachine(place.machineId, [{ deliveryId: id, runId, fence }]),
    30_000,
  )
  expect(await listRunSecrets(connection.db, place.machineId, runId, fence)).toEqual([])
  expect(await listRunSkills(connection.db, place.machineId, runId, fence)).toEqual([])
})
