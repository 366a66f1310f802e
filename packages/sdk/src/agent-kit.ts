import type { AgentSessionView, SkillRef, UsageGroup, UsageView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

/** Values for an agent's environment. They can be set and never read again. */
export type Secrets = {
  list(agent: string): Promise<{ name: string; updatedAt: number }[]>
  set(agent: string, name: string, value: string): Promise<void>
  delete(agent: string, name: string): Promise<void>
}

/** Markdown files that an agent finds on its machine. */
export type Skills = {
  list(agent: string): Promise<(SkillRef & { text: string; updatedAt: number })[]>
  /** One of the same name is replaced. */
  add(agent: string, name: string, text: string): Promise<SkillRef>
  remove(agent: string, name: string): Promise<void>
}

/** The conversations that agents can go on with. */
export type Sessions = {
  list(filter?: { agent?: string }): Promise<AgentSessionView[]>
  /** Its next run starts afresh. */
  forget(agent: string, conversation: string): Promise<void>
}

export type Usage = {
  /** Days of UTC like 2026-11-20, both counted; without them the last thirty. */
  sum(filter?: {
    by?: UsageGroup
    since?: string
    until?: string
    agent?: string
    job?: string
  }): Promise<UsageView>
}

export function createSecrets(raw: Raw, call: Call): Secrets {
  return {
    list: async (agent) => {
      const secrets = await call(raw.secrets.list.query({ agent }))
      return secrets.map(({ name, updatedAt }) => ({ name, updatedAt }))
    },
    set: async (agent, name, value) => {
      await call(raw.secrets.set.mutate({ agent, name, value }))
    },
    delete: (agent, name) => call(raw.secrets.delete.mutate({ agent, name })),
  }
}

export function createSkills(raw: Raw, call: Call): Skills {
  return {
    list: (agent) => call(raw.skills.list.query({ agent })),
    add: (agent, name, text) => call(raw.skills.add.mutate({ agent, name, text })),
    remove: (agent, name) => call(raw.skills.remove.mutate({ agent, name })),
  }
}

export function createSessions(raw: Raw, call: Call): Sessions {
  return {
    list: (filter = {}) => call(raw.sessions.list.query(filter)),
    forget: (agent, conversation) => call(raw.sessions.forget.mutate({ agent, conversation })),
  }
}

export function createUsage(raw: Raw, call: Call): Usage {
  return { sum: (filter = {}) => call(raw.usage.sum.query(filter)) }
}
