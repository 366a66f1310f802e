import type { Baton } from '@baton/sdk'
import type { ProfilePaths } from '../config/paths.ts'
import { createStyle, type Style } from './style.ts'

/** The flags that every command has. */
export type CommonOptions = { json?: boolean; profile?: string; yes?: boolean }

/**
 * What a command works with. stdout carries its data and nothing else; everything said beside it goes to stderr, so
 * that `--json` can be piped from any command.
 */
export type Session = {
  json: boolean
  env: NodeJS.ProcessEnv
  /** Answers a destructive question with yes. */
  yes: boolean
  /** A person sits here and can be asked. */
  canAsk: boolean
  /** For what goes to stdout, and for what goes to stderr. */
  out: Style
  err: Style
  /** The data of the command: as JSON with --json, else as the text for people. */
  print(value: unknown, forPeople: () => string): void
  /** One line of a stream: with --json one object a line. */
  write(text: string): void
  /** Said beside the data, on stderr. Left out with --json. */
  note(text: string): void
  paths(): Promise<ProfilePaths>
  /** The client of the relay, made at first use. */
  baton(): Promise<Baton>
  close(): Promise<void>
}

export function createSession(options: CommonOptions): Session {
  const { env, stdin, stdout, stderr } = process
  const json = options.json === true
  let client: Promise<Baton> | undefined
  const paths = async () => {
    const { openPaths } = await import('./connection.ts')
    return openPaths(env, options.profile)
  }
  return {
    json,
    env,
    yes: options.yes === true,
    canAsk: stdin.isTTY === true && stderr.isTTY === true && !json && !isUnattended(env),
    out: createStyle(stdout),
    err: createStyle(stderr),
    print: (value, forPeople) => {
      const text = json ? JSON.stringify(value, null, stdout.isTTY ? 2 : 0) : forPeople()
      if (text !== '') stdout.write(`${text}\n`)
    },
    write: (text) => void stdout.write(text),
    note: (text) => {
      if (!json) stderr.write(`${text}\n`)
    },
    paths,
    baton: () => {
      client ??= (async () => {
        const { openClient } = await import('./connection.ts')
        return openClient(env, await paths())
      })()
      return client
    },
    close: async () => {
      if (client) await client.then((baton) => baton.close()).catch(() => {})
    },
  }
}

/** Continuous integration, or an agent that runs us as one of its tools. */
function isUnattended(env: NodeJS.ProcessEnv): boolean {
  return ['CI', 'AI_AGENT', 'AGENT', 'CLAUDECODE', 'CODEX_SANDBOX', 'GEMINI_CLI', 'BATON_RUN_ID'].some(
    (name) => env[name],
  )
}
