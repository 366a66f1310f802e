import { BatonError } from '@baton/protocol'
import { Baton } from '@baton/sdk'
import type { Command } from 'commander'
import { findRelayUrl, findToken } from './connection.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { shortId } from './text.ts'

const SCRIPTS: Record<string, string> = {
  bash: `_baton() {
  local IFS=$'\\n'
  COMPREPLY=($(baton completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _baton baton`,
  zsh: `#compdef baton
_baton() {
  local -a found
  found=("\${(@f)$(baton completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
if [[ "$funcstack[1]" = _baton ]]; then _baton "$@"; else compdef _baton baton; fi`,
  fish: `complete -c baton -a '(baton completion words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
}

/** Somebody waits with a finger on the Tab key: what takes longer is not worth it. */
const ASK_WITHIN_MS = 1_000
const NEWEST_RUNS = 20

/** `baton completion bash` prints what a shell reads once; `words` is what that then asks at each Tab. */
export async function complete(
  session: Session,
  [shell = '', ...words]: string[],
  program: Command,
): Promise<void> {
  if (shell === 'words') {
    const found = await candidates(session, words, program)
    return session.print(found, () => found.join('\n'))
  }
  const script = SCRIPTS[shell]
  if (!script)
    throw new BatonError(
      'bad_input',
      `There is no completion for "${shell}": choose from ${Object.keys(SCRIPTS).join(', ')}.`,
    )
  session.print({ script }, () => script)
}

/** What the last word may become, given those before it. Nothing at all lets the shell offer files. */
async function candidates(session: Session, words: string[], program: Command): Promise<string[]> {
  const beginning = words.at(-1) ?? ''
  let command = program
  let given = 0
  let value: string | null = null
  for (const word of words.slice(0, -1)) {
    const inside = value === null ? command.commands.find((one) => one.name() === word) : undefined
    if (value !== null) value = null
    else if (word.startsWith('-')) value = valueWanted(command, word)
    else if (inside) command = inside
    else given++
  }
  const all = await offers(session, command, { beginning, given, value })
  return all.filter((one) => one.startsWith(beginning))
}

/** The name of the value that an option takes, such as `agent` of `--agent <key>`, by its long flag; null for a switch. */
function valueWanted(command: Command, flag: string): string | null {
  const option = command.options.find((one) => one.long === flag || one.short === flag)
  return option && (option.required || option.optional) ? (option.long ?? '').slice(2) : null
}

async function offers(
  session: Session,
  command: Command,
  at: { beginning: string; given: number; value: string | null },
): Promise<string[]> {
  if (at.value !== null) return named(session, at.value)
  if (at.beginning.startsWith('-'))
    return command.options.flatMap((one) => (one.long && !one.hidden ? [one.long] : [])).concat('--help')
  if (command.commands.length > 0) return command.commands.map((one) => one.name())
  const argument =
    command.registeredArguments[at.given] ?? command.registeredArguments.findLast((one) => one.variadic)
  return argument ? named(session, argument.name()) : []
}

/** Keys and names of what is there. Without a relay, or with a slow one, there is nothing to offer. */
async function named(session: Session, what: string): Promise<string[]> {
  if (!['agent', 'job', 'machine', 'run', 'run|file', 'thing'].includes(what)) return []
  try {
    const paths = await session.paths()
    const token = await findToken(session.env, paths)
    if (!token) return []
    await using baton = new Baton({
      url: await findRelayUrl(session.env, paths),
      token,
      timeoutMs: ASK_WITHIN_MS,
    })
    return (await listNames(baton, what)).map((one) => printable(one))
  } catch (error) {
    if (error instanceof BatonError) return []
    throw error
  }
}

async function listNames(baton: Baton, what: string): Promise<string[]> {
  if (what === 'agent') return (await baton.agents.list()).map((one) => one.key)
  if (what === 'job') return (await baton.jobs.list()).map((one) => one.key)
  if (what === 'machine') return (await baton.machines.list()).map((one) => one.name)
  const { items } = await baton.raw.runs.list.query({ limit: NEWEST_RUNS })
  return items.map((one) => shortId(one.id))
}
