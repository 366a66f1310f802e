import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { BatonError } from '@baton/protocol'
import { type AgentFolder, agentFolder, makeAgentFolder, readMemory } from '../agents/profile/agent-folder.ts'
import { readProfile } from '../config/profile.ts'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

/** A memory lies on the machine of its agent and is never sent to the relay. */
export async function agentMemory(
  session: Session,
  [id = '']: string[],
  options: { edit?: boolean; clear?: boolean },
): Promise<void> {
  const { key, at } = await findFolder(session, id)
  if (options.edit) await edit(session, at)
  if (options.clear) await clear(session, key, at)
  const memory = await readMemory(at)
  session.print({ file: at.memory, text: memory?.text ?? '', notes: memory?.notes ?? [] }, () =>
    [
      memory?.text.trimEnd() || `${printable(key)} remembers nothing yet.`,
      ...(memory?.notes ?? []).map((note) => `notes/${note}`),
    ]
      .map(printableLines)
      .join('\n'),
  )
  session.note(session.err('dim', at.memory))
}

async function findFolder(session: Session, id: string): Promise<{ key: string; at: AgentFolder }> {
  const paths = await session.paths()
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  const profile = await readProfile(paths)
  if (!profile.ok || profile.value.machineId !== agent.machine.id)
    throw new BatonError(
      'conflict',
      `The memory of ${agent.key} lies on ${agent.machine.name}: run this command there.`,
    )
  const at = agentFolder(paths.agentsFolder, agent.key)
  if (!at)
    throw new BatonError('conflict', `"${agent.key}" cannot be the name of a folder, so it keeps nothing.`)
  return { key: agent.key, at }
}

async function edit(session: Session, at: AgentFolder): Promise<void> {
  const editor = session.env.VISUAL || session.env.EDITOR
  if (!session.canAsk || !editor)
    throw new BatonError('bad_input', `There is no terminal or no EDITOR: edit ${at.memory} itself.`)
  await makeAgentFolder(at)
  const [file = '', ...args] = editor.split(/\s+/)
  const child = spawn(file, [...args, at.memory], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new BatonError('conflict', `${editor} ended with ${code}.`)
}

/** Skills stay: they come from the relay, or from a person. */
async function clear(session: Session, key: string, at: AgentFolder): Promise<void> {
  await confirm(session, `Let ${key} forget everything that it keeps in ${at.folder}?`)
  await rm(at.memory, { force: true })
  await rm(at.notes, { recursive: true, force: true })
  await makeAgentFolder(at)
}

const printableLines = (text: string) =>
  text
    .split('\n')
    .map((line) => printable(line))
    .join('\n')
