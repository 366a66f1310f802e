import type { PushedDelivery } from '@baton/protocol'
import type { AgentFolder } from './agent-folder.ts'

/** The agent's own instructions with what it has on this machine: its memory, its notes and its skills. */
export function tellProfile(delivery: PushedDelivery, at: AgentFolder): string {
  const { instructions, permissionMode, skills } = delivery.agent
  const mayWrite = permissionMode !== 'read_only'
  const memory = mayWrite
    ? `You have a memory that outlives this run: ${at.memory} and the folder ${at.notes}. Read ${at.memory} before you begin. Keep what will help you next time there, in short lines; longer texts belong into files under notes/. Never write a secret into it.`
    : `You have a memory of earlier runs: ${at.memory} and the folder ${at.notes}. Read ${at.memory} before you begin. This run may only read it.`
  const list = skills.map(({ name, description }) => `- ${at.skills}/${name}/SKILL.md: ${description}`)
  const known =
    list.length === 0
      ? []
      : [`You have skills. When one fits the work, read its file first and follow it:\n${list.join('\n')}`]
  return [instructions.trim(), memory, ...known].filter((part) => part !== '').join('\n\n')
}
