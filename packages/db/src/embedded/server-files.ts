import { randomBytes } from 'node:crypto'
import fs from 'node:fs'

// Files beside the data folder: `<dir>.password` and `<dir>.server`.

/** What the next start of the same data folder wants to know. */
export interface ServerRecord {
  /** Kept across restarts, so that a URL that somebody wrote down stays right. */
  port: number
  /** The process that started the server and will stop it. */
  owner: number
}

/** The superuser's password, made at the first call; of two first calls at once both get the same one. */
export function ensurePassword(dir: string): string {
  const draft = `${dir}.password-${process.pid}-${randomBytes(3).toString('hex')}`
  fs.writeFileSync(draft, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  try {
    fs.linkSync(draft, `${dir}.password`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    fs.rmSync(draft, { force: true })
  }
  return readPassword(dir)
}

export function readPassword(dir: string): string {
  try {
    return fs.readFileSync(`${dir}.password`, 'utf8').trim()
  } catch (error) {
    throw new Error(
      `Starting the embedded Postgres: ${dir} is there but its password file ${dir}.password cannot be read. ` +
        'Put that file back, or move the folder away to begin with an empty database.',
      { cause: error },
    )
  }
}

/** Undefined when there is none, or when a power cut left it unreadable. */
export function readServerRecord(dir: string): ServerRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(`${dir}.server`, 'utf8')) as ServerRecord
  } catch {
    return undefined
  }
}

export function writeServerRecord(dir: string, record: ServerRecord): void {
  const draft = `${dir}.server-${process.pid}`
  fs.writeFileSync(draft, JSON.stringify(record), { mode: 0o600 })
  fs.renameSync(draft, `${dir}.server`)
}
