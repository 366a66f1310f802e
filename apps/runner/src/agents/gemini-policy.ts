import type { PermissionMode } from '@baton/protocol'

type Rule = { toolName: string; decision: 'allow' | 'deny'; priority: number; commandPrefix?: string }

/** Names that people write for its shell, as they stand in other agents' lists. */
const SHELL_NAMES = ['bash', 'shell', 'run_shell_command']
const WRITING = ['run_shell_command', 'write_file', 'replace', 'save_memory']

/**
 * The approval mode, and the rules as its policy file. `read_only` forbids whatever writes, whatever the user allows
 * himself; `edit` leaves out the shell but for the commands of the allow-list; `full` asks for nothing.
 */
export function geminiPolicy(
  mode: PermissionMode,
  allow: readonly string[],
): { approvalMode: 'default' | 'auto_edit' | 'yolo'; rules: string } {
  if (mode === 'read_only') {
    const rules = WRITING.map((toolName): Rule => ({ toolName, decision: 'deny', priority: 999 }))
    return { approvalMode: 'default', rules: toToml(rules) }
  }
  if (mode === 'full') return { approvalMode: 'yolo', rules: '' }
  return { approvalMode: 'auto_edit', rules: toToml(allow.flatMap(allowRule)) }
}

/** `Tool`, or `Tool(prefix*)` for its shell: what stands in brackets is the beginning of the command. */
function allowRule(pattern: string): Rule[] {
  const [, name, inner] = /^([\w-]+)(?:\((.*?)[\s:]*\*?\))?$/.exec(pattern.trim()) ?? []
  if (name === undefined) return []
  const isShell = SHELL_NAMES.includes(name.toLowerCase())
  const rule: Rule = { toolName: isShell ? 'run_shell_command' : name, decision: 'allow', priority: 500 }
  if (!inner) return [rule]
  return isShell ? [{ ...rule, commandPrefix: inner }] : []
}

/** A TOML string is written like a JSON string. */
function toToml(rules: readonly Rule[]): string {
  return rules
    .map((rule) => {
      const lines = Object.entries(rule).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
      return `[[rule]]\n${lines.join('\n')}\n`
    })
    .join('\n')
}
