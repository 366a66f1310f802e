import { insertMachine, listMachineViews, updateMachine } from '@baton/db'
import { type MachineId, type MachineView, type OrganizationId, toId } from '@baton/protocol'
import { createdMachine, machineView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { hashSecret, newSecret } from '../secrets/hash-secret.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { byId, name } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'
import { unlessTaken } from './unique.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

export const machinesRouter = router({
  list: userProcedure
    .meta(rest('GET /machines', 'All machines'))
    .output(z.array(machineView))
    .query(({ ctx }) => listMachineViews(ctx.connection.db, ctx.principal.organizationId)),

  get: userProcedure
    .meta(rest('GET /machines/{id}', 'One machine, by id or name'))
    .input(byId)
    .output(machineView)
    .query(({ ctx, input }) => getMachine(ctx, input.id)),

  /** Registers a computer. Its key is in this answer and nowhere else. */
  create: memberProcedure
    .meta(
      rest('POST /machines', 'Register a computer; its key is in this answer and nowhere else', {
        created: '/machines/{machine.id}',
      }),
    )
    .input(z.object({ name }))
    .output(createdMachine)
    .mutation(async ({ ctx, input }): Promise<{ machine: MachineView; key: string }> => {
      const id = toId('machine', uuidv7())
      const key = newSecret('sk_machine')
      const { organizationId } = ctx.principal
      await unlessTaken('machine', input.name, () =>
        insertMachine(ctx.connection.db, { id, organizationId, name: input.name, keyHash: hashSecret(key) }),
      )
      ctx.changes.tell(organizationId, 'machine', id)
      return { machine: await getMachine(ctx, id), key }
    }),

  rename: memberProcedure
    .meta(rest('PATCH /machines/{id}', 'Rename a machine'))
    .input(byId.extend({ name }))
    .output(machineView)
    .mutation(async ({ ctx, input }) => {
      const machine = await getMachine(ctx, input.id)
      await unlessTaken('machine', input.name, () => change(ctx, machine.id, { rename: input.name }))
      return getMachine(ctx, machine.id)
    }),

  /** A new key; the old one stops working at once, and so does a runner that uses it. */
  rotateKey: memberProcedure
    .meta(
      rest('POST /machines/{id}/rotate-key', 'Give a machine a new key; the old one stops working at once'),
    )
    .input(byId)
    .output(z.object({ key: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const machine = await getMachine(ctx, input.id)
      const key = newSecret('sk_machine')
      await change(ctx, machine.id, { keyHash: hashSecret(key) })
      ctx.hints.send('revoked', machine.id)
      return { key }
    }),

  /** It takes no new work from here on; what runs there ends as usual. */
  drain: memberProcedure
    .meta(rest('POST /machines/{id}/drain', 'Give a machine no new work; what runs there ends as usual'))
    .input(byId)
    .output(machineView)
    .mutation(({ ctx, input }) => setDraining(ctx, input.id, true)),

  resume: memberProcedure
    .meta(rest('POST /machines/{id}/resume', 'Let a machine that was drained take work again'))
    .input(byId)
    .output(machineView)
    .mutation(({ ctx, input }) => setDraining(ctx, input.id, false)),

  revoke: memberProcedure
    .meta(rest('POST /machines/{id}/revoke', 'Refuse a machine from now on'))
    .input(byId)
    .output(machineView)
    .mutation(async ({ ctx, input }) => {
      const machine = await getMachine(ctx, input.id)
      await change(ctx, machine.id, { revoke: true })
      ctx.hints.send('revoked', machine.id)
      return getMachine(ctx, machine.id)
    }),

  archive: memberProcedure
    .meta(rest('POST /machines/{id}/archive', 'Put a machine away'))
    .input(byId)
    .output(machineView)
    .mutation(async ({ ctx, input }) => {
      const machine = await getMachine(ctx, input.id)
      await change(ctx, machine.id, { archive: true })
      ctx.hints.send('revoked', machine.id)
      return getMachine(ctx, machine.id)
    }),
})

export async function getMachine(ctx: Caller, idOrName: string): Promise<MachineView> {
  const { organizationId } = ctx.principal
  const [machine] = await listMachineViews(ctx.connection.db, organizationId, { idOrName })
  return found(machine, 'machine', idOrName)
}

async function setDraining(ctx: Caller, idOrName: string, drain: boolean): Promise<MachineView> {
  const machine = await getMachine(ctx, idOrName)
  await change(ctx, machine.id, { drain })
  // What waits for it is leased at once.
  if (!drain) ctx.hints.send('machine', machine.id)
  return getMachine(ctx, machine.id)
}

async function change(ctx: Caller, id: MachineId, what: Parameters<typeof updateMachine>[3]) {
  const { organizationId } = ctx.principal
  const isThere = await updateMachine(ctx.connection.db, organizationId, id, what, ctx.ifVersion)
  found(isThere || null, 'machine', id)
  ctx.changes.tell(organizationId, 'machine', id)
}
