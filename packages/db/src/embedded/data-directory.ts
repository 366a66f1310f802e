import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Confinement } from './choose-confinement.ts'
import { programIn } from './find-binaries.ts'
import { ensurePassword } from './server-files.ts'

const run = promisify(execFile)

/** Environment for every Postgres program: its messages are read, so they must be English. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
}

/**
 * Makes the data folder when it is not there. It is made beside its place and renamed, so a kill half-way
 * leaves no half-made folder and of two callers at once both get the one that was first.
 */
export async function ensureDataDirectory(
  dir: string,
  binaries: string,
  confinement: Confinement,
  options: { sync: boolean },
): Promise<void> {
  const version = path.join(dir, 'PG_VERSION')
  if (fs.existsSync(version)) return assertSameMajor(dir, fs.readFileSync(version, 'utf8').trim(), binaries)
  fs.mkdirSync(path.dirname(dir), { recursive: true })
  const draft = `${dir}.draft-${process.pid}-${randomBytes(3).toString('hex')}`
  try {
    const password = ensurePassword(dir)
    await initialize(draft, password, binaries, confinement, options.sync)
    fs.renameSync(draft, dir)
  } catch (error) {
    if (!fs.existsSync(version)) throw error
  } finally {
    fs.rmSync(draft, { recursive: true, force: true })
  }
}

async function initialize(
  dir: string,
  password: string,
  binaries: string,
  confinement: Confinement,
  sync: boolean,
): Promise<void> {
  const passwordFile = `${dir}.password`
  const { account } = confinement
  fs.mkdirSync(dir, { mode: 0o700 })
  fs.writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (account) for (const at of [dir, passwordFile]) fs.chownSync(at, account.uid, account.gid)
  const settings = ['-U', 'postgres', '-E', 'UTF8', '--auth=scram-sha-256', '--no-instructions']
  if (!sync) settings.push('--no-sync')
  // The builtin provider sorts alike on every system and under every C library.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const args = ['-D', dir, `--pwfile=${passwordFile}`, ...settings, ...locale]
  const command = confinement.command(programIn(binaries, 'initdb'), args, 'briefly')
  try {
    await run(command.file, command.args, { ...command.options, env: postgresEnvironment() } as object)
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
    const said = `${stderr}${stdout}`.trim() || String(error)
    throw new Error(
      `Creating the embedded Postgres in ${dir} (${confinement.how}): initdb failed: ${said}\n` +
        'Free disk space or choose another folder with BATON_HOME, or set DATABASE_URL to a Postgres of your own.',
      { cause: error },
    )
  } finally {
    fs.rmSync(passwordFile, { force: true })
  }
}

function assertSameMajor(dir: string, found: string, binaries: string): void {
  const { version } = JSON.parse(fs.readFileSync(path.join(binaries, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  const [major] = version.split('.')
  if (found === major) return
  throw new Error(
    `Starting the embedded Postgres: ${dir} was written by Postgres ${found}, and this is Postgres ${major}. ` +
      'Move that folder away to begin with an empty database, or set DATABASE_URL to a server that runs it.',
  )
}
