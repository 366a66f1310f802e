import { BatonError } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

export async function listSessions(
  session: Session,
  _args: string[],
  options: { agent?: string },
): Promise<void> {
  const baton = await session.baton()
  const items = await baton.sessions.list(options.agent ? { agent: options.agent } : {})
  session.print({ items }, () =>
    table(
      ['conversation', 'agent', 'machine', 'last used', 'folder'],
      items.map((one) => [
        printable(one.conversation),
        printable(one.agent.key),
        printable(one.machine.name),
        ago(one.updatedAt),
        printable(one.cwd ?? ''),
      ]),
      session.out,
    ),
  )
  if (items.length === 0) session.note('No conversations yet. Begin one: baton run "…" --conversation <name>')
}

export async function forgetSession(
  session: Session,
  [conversation = '']: string[],
  options: { agent?: string },
): Promise<void> {
  const baton = await session.baton()
  const known = await baton.sessions.list(options.agent ? { agent: options.agent } : {})
  const found = known.filter((one) => one.conversation === conversation)
  const [one] = found
  if (!one)
    throw new BatonError(
      'not_found',
      `There is no conversation "${conversation}". "baton session list" shows what there is.`,
    )
  if (found.length > 1) {
    const keys = found.map(({ agent }) => agent.key).join(', ')
    throw new BatonError(
      'bad_input',
      `Several agents have a conversation "${conversation}" (${keys}): add --agent.`,
    )
  }
  await confirm(session, `Forget the conversation ${conversation} of ${one.agent.key}?`)
  await baton.sessions.forget(one.agent.id, conversation)
  session.print(
    { conversation, agent: one.agent.key, forgotten: true },
    () => `${printable(conversation)} starts afresh.`,
  )
}
