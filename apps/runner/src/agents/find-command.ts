import { isExecutable } from './find-executable.ts'
import type { CommandFormat, PrepareInput, Refused } from './runtime.ts'

/**
 * The program that the machine's policy has under the name of the agent's command, for one of the two runtimes that take
 * a command: those with the format `acp` are for `acp`, all others for `command`.
 */
export async function findCommand(
  { delivery, policy }: Pick<PrepareInput, 'delivery' | 'policy'>,
  runtime: 'acp' | 'command',
): Promise<{ file: string; args: string[]; format: CommandFormat } | Refused> {
  const name = delivery.agent.command
  const command = name !== null && Object.hasOwn(policy.commands, name) ? policy.commands[name] : undefined
  const [file, ...args] = command?.argv ?? []
  if (command === undefined || file === undefined) {
    const known = Object.keys(policy.commands).join(', ') || 'none'
    const message = `This machine's policy has no command "${name ?? ''}" (it has: ${known}). Add it to policy.json there, or change the agent.`
    return { refused: 'policy', message }
  }
  if ((command.format === 'acp') !== (runtime === 'acp')) {
    const message =
      runtime === 'acp'
        ? `The command "${name}" of this machine's policy has the format ${command.format}. Give it the format "acp" in policy.json there if it speaks the Agent Client Protocol.`
        : `The command "${name}" of this machine's policy speaks the Agent Client Protocol: give the agent the runtime acp.`
    return { refused: 'policy', message }
  }
  if (!(await isExecutable(file))) {
    return {
      refused: 'agent_missing',
      message: `The command "${name}" of this machine's policy is ${file}, which is not an executable file there.`,
    }
  }
  return { file, args, format: command.format }
}
