import { leaseSome, makeDelivery, makePlace, type Place, usePlace, useTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { ofMachine } from '../deliveries/of-machine.ts'
import {
  acceptDeliveries,
  deleteAgentSecret,
  listAgentSecrets,
  listRunSecrets,
  listRunSkills,
  setAgentSecret,
  setAgentSkill,
} from '../index.ts'

const database = useTestDatabase()
const place = usePlace(database)

const secret = (sealed = 'sealed', name = 'TOKEN') => ({ agentId: place.agentId, name, sealed })
const lease = async () => {
  await makeDelivery(database.db, place)
  const [leased] = await leaseSome(database.db, place, 1)
  if (!leased) throw new Error('Nothing was leased.')
  return leased
}

test('a secret is set anew, listed by its name and deleted, by its own organization alone', async () => {
  const stranger = await makePlace(database.db)
  expect(await setAgentSecret(database.db, stranger.organizationId, secret())).toBe(false)
  expect(await setAgentSecret(database.db, place.organizationId, secret('one'))).toBe(true)
  expect(await setAgentSecret(database.db, place.organizationId, secret('two'))).toBe(true)
  const listed = await listAgentSecrets(database.db, place.organizationId, place.agentId)
  expect(listed).toEqual([{ name: 'TOKEN', updatedAt: expect.any(Number) }])
  expect(await listAgentSecrets(database.db, stranger.organizationId, place.agentId)).toEqual([])
  const remove = (organizationId: Place['organizationId']) =>
    deleteAgentSecret(database.db, organizationId, place.agentId, 'TOKEN')
  expect([await remove(stranger.organizationId), await remove(place.organizationId)]).toEqual([false, true])
})

test('only the machine that holds the run under this fence is given what belongs to it', async () => {
  await setAgentSecret(database.db, place.organizationId, secret('sealed text'))
  const skill = { name: 'notes', description: 'd', text: 't', hash: '0'.repeat(64) }
  await setAgentSkill(database.db, place.organizationId, place.agentId, skill)
  const { id, runId, fence, agent } = await lease()
  expect(agent.secretNames).toEqual(['TOKEN'])
  expect(agent.skills).toEqual([{ name: 'notes', description: 'd', hash: skill.hash }])
  const ask = (machineId = place.machineId, under = fence) =>
    listRunSecrets(database.db, machineId, runId, under)
  expect(await ask()).toBeNull()
  await acceptDeliveries(database.db, ofMachine(place.machineId, [{ deliveryId: id, runId, fence }]), 30_000)
  expect(await ask()).toEqual([secret('sealed text')])
  expect(await listRunSkills(database.db, place.machineId, runId, fence)).toEqual([skill])
  expect(await ask((await makePlace(database.db)).machineId)).toBeNull()
  expect(await ask(place.machineId, fence + 1)).toBeNull()
})

test('an agent without secrets has an empty list, which is not the same as no run', async () => {
  const { id, runId, fence } = await lease()
  await acceptDeliveries(database.db, ofMachine(place.machineId, [{ deliveryId: id, runId, fence }]), 30_000)
  expect(await listRunSecrets(database.db, place.machineId, runId, fence)).toEqual([])
  expect(await listRunSkills(database.db, place.machineId, runId, fence)).toEqual([])
})
