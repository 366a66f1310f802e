import type { ApprovalRules } from './agent-settings.ts'
import { QUESTION_TOOL } from './approvals.ts'

/** What an agent wants to do, as its allow-list judges it. */
export type Action = { tool: string; input: unknown }

/**
 * Whether an allow-list pattern covers an action. `Tool` covers every use of it; `Tool(text)` exactly this command, path or
 * address; `Tool(text*)` those that begin so; `mcp__server__*` all tools that begin so.
 *
 * A pattern that ends in `*` never covers a command in which a shell would find a second one, nor a path with `..`: what
 * stands behind the beginning could be anything. Questions to a person are covered by nothing.
 */
export function coversAction(pattern: string, { tool, input }: Action): boolean {
  if (tool === QUESTION_TOOL) return false
  const [, name = '', inner] = /^([^(]+)(?:\((.+)\))?$/s.exec(pattern) ?? []
  if (inner === undefined)
    return name === tool || (name.length > 1 && name.endsWith('*') && tool.startsWith(name.slice(0, -1)))
  if (name !== tool) return false
  const subject = subjectOf(input)
  if (subject === null) return false
  if (!inner.endsWith('*')) return subject === inner
  const start = inner.slice(0, -1).replace(/:$/, ' ')
  return start !== '' && subject.startsWith(start) && !LEADS_ELSEWHERE.test(subject)
}

/** The first pattern of the rules that covers the action, or null. */
export function coveredBy(rules: Pick<ApprovalRules, 'allow'>, action: Action): string | null {
  return rules.allow.find((pattern) => coversAction(pattern, action)) ?? null
}

/** The narrowest pattern that covers the action again; null for a question, or where it would be too long to keep. */
export function patternOf({ tool, input }: Action): string | null {
  if (tool === QUESTION_TOOL || !/^[\w.-]+$/.test(tool)) return null
  const subject = subjectOf(input)
  if (subject === null) return tool
  const pattern = `${tool}(${subject})`
  // A subject that ends in a star would cover more than itself.
  return pattern.length > 500 || /[\n*]$/.test(subject) || subject.includes('\n') ? null : pattern
}

/** `;`, `&`, `|`, redirections, substitutions and further lines; or a way out of a folder. */
const LEADS_ELSEWHERE = /[;&|<>`$\r\n]|(^|[\s/])\.\.(\/|\s|$)/

const SUBJECTS = ['command', 'cmd', 'file_path', 'notebook_path', 'path', 'url']

/** The part of an input that a pattern is compared with. */
function subjectOf(input: unknown): string | null {
  if (typeof input !== 'object' || input === null) return null
  for (const name of SUBJECTS) {
    const value = (input as Record<string, unknown>)[name]
    if (typeof value === 'string' && value !== '') return value
    if (
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((word) => /^[\w@%+=:,./-]+$/.test(String(word)))
    )
      return value.join(' ')
  }
  return null
}
