import type { AgentView, Runtime } from '@baton/protocol'

/** Why a blocked agent takes no work and until when, as sentences. */
export function blockCause(
  { reason, message, until }: NonNullable<AgentView['blocked']>,
  agent: { key: string; runtime: Runtime; machine_name: string },
): string {
  const at = until === null ? null : `${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const said = message.trim() === '' ? '' : ` It said: ${message.trim()}`
  switch (reason) {
    case 'quota':
      return `The account behind ${agent.runtime} on ${agent.machine_name} is used up until ${at}; its work waits.${said}`
    case 'not_signed_in':
      return `${agent.runtime} is not signed in on ${agent.machine_name}; its work waits. Sign it in there, then: baton agent resume ${agent.key}.${said}`
    case 'budget':
      return `Its budget of the day is used up; its work waits until ${at} or until the budget is raised.`
  }
}
