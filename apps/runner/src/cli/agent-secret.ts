import { text as readAll } from 'node:stream/consumers'
import { BatonError } from '@baton/protocol'
import { maySeeSecret } from '../agents/profile/may-see-secret.ts'
import { readPolicy } from '../config/policy.ts'
import { readProfile } from '../config/profile.ts'
import { askHidden } from './ask-hidden.ts'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

/** The value comes from stdin or a hidden question, never from the command line, where others could read it. */
export async function setSecret(session: Session, [id = '', name = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  const value = process.stdin.isTTY
    ? await askHidden(session, `Value of ${name}: `)
    : (await readAll(process.stdin)).replace(/\r?\n$/, '')
  if (value === '') throw new BatonError('bad_input', 'The value is empty: give it on stdin.')
  await baton.secrets.set(agent.key, name, value)
  session.print({ agent: agent.key, name, value: '***' }, () => `${name} is set for ${printable(agent.key)}.`)
  const paths = await session.paths()
  const profile = await readProfile(paths)
  if (!profile.ok || profile.value.machineId !== agent.machine.id) return
  const policy = await readPolicy(paths.policyFile)
  if (policy.ok && !maySeeSecret(policy.value, name))
    session.note(
      `${session.err('yellow', '!')} This machine does not allow it yet: name ${name} under "environment" in ${paths.policyFile}, or set "secrets": true there.`,
    )
}

export async function listSecrets(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const items = await baton.secrets.list(id)
  session.print({ items }, () =>
    table(
      ['name', 'value', 'set'],
      items.map((one) => [one.name, '***', ago(one.updatedAt)]),
      session.out,
    ),
  )
  if (items.length === 0) session.note(`No secrets. Set one: baton agent secret set ${id} NAME`)
}

export async function deleteSecret(session: Session, [id = '', name = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  await confirm(session, `Delete the secret ${name} of ${agent.key}?`)
  await baton.secrets.delete(agent.key, name)
  session.print({ agent: agent.key, name, deleted: true }, () => `${name} is deleted.`)
}
