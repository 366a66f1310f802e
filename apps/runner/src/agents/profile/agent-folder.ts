import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder, readTextFile } from '../../config/private-file.ts'

/** What an agent keeps on its machine between its runs. */
export type AgentFolder = { folder: string; memory: string; notes: string; skills: string }

/** Where it is. The key becomes the name of a folder, so one that could lead elsewhere has none. */
export function agentFolder(agentsFolder: string, agentKey: string): AgentFolder | null {
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(agentKey)) return null
  const folder = join(agentsFolder, agentKey)
  return {
    folder,
    memory: join(folder, 'MEMORY.md'),
    notes: join(folder, 'notes'),
    skills: join(folder, 'skills'),
  }
}

/** Makes what is missing of it. A memory that is there stays as it is. */
export async function makeAgentFolder({ notes, skills, memory }: AgentFolder): Promise<void> {
  await makePrivateFolder(notes)
  await makePrivateFolder(skills)
  await writeFile(memory, '', { flag: 'a', mode: 0o600 })
}

/** The memory's text and the names of its notes; null when the agent has kept nothing on this machine. */
export async function readMemory(of: AgentFolder): Promise<{ text: string; notes: string[] } | null> {
  const text = await readTextFile(of.memory)
  if (text === null) return null
  const entries = await readdir(of.notes, { recursive: true, withFileTypes: true }).catch(() => [])
  const notes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(of.notes.length + 1))
  return { text, notes: notes.toSorted() }
}
