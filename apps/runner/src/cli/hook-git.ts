import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { BatonError, type MachineFire, matchesGlob } from '@baton/protocol'
import type { Baton } from '@baton/sdk'
import { entryFile } from '../entry.ts'
import {
  HOOK_NAMES,
  type HookConfig,
  type HookName,
  hookPlaces,
  readHookConfig,
  writeHookConfig,
} from '../hooks/hook-config.ts'
import { installHookScript, removeHookScript } from '../hooks/hook-script.ts'
import { describePush, pushKey, readPushes } from '../hooks/read-pushes.ts'
import { newFireKey, writeFire } from '../watches/fire-spool.ts'
import { openPaths } from './connection.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

type InstallOptions = {
  repo: string
  job?: string
  prePush?: boolean
  postReceive?: boolean
  branch?: string[]
  profile?: string
}

export async function installGitHook(
  session: Session,
  _args: string[],
  options: InstallOptions,
): Promise<void> {
  if (!options.job)
    throw new BatonError('bad_input', 'Say what it fires: --job <key>. "baton job list" shows them.')
  if (options.prePush && options.postReceive)
    throw new BatonError('bad_input', 'Give one of --pre-push and --post-receive.')
  const hook: HookName = options.postReceive ? 'post-receive' : 'pre-push'
  const places = await hookPlaces(resolve(options.repo))
  const baton = await session.baton()
  const triggerId = await findPushTrigger(baton, options.job)
  const branches = options.branch ?? ['**']
  const { profile } = await session.paths()
  const config = await readHookConfig(places.config)
  const others = config.fires.filter((one) => one.hook !== hook || one.triggerId !== triggerId)
  const command = [process.execPath, entryFile]
  const done = await installHookScript(places.hooks, hook, { command, home: session.env.BATON_HOME })
  await writeHookConfig(places.config, {
    fires: [...others, { hook, job: options.job, triggerId, profile, branches }],
  })
  session.print({ hook, hooks: places.hooks, result: done, triggerId, branches }, () =>
    [
      `${hook} in ${places.hooks} fires ${printable(options.job ?? '')} for ${branches.join(' ')}.`,
      ...(done === 'chained' ? ['The hook that was there runs first, as before.'] : []),
    ].join('\n'),
  )
  if (hook === 'pre-push')
    session.note('It fires when a push begins: git tells nobody here whether it succeeded.')
}

/** The job's own push trigger, made when it has none. */
async function findPushTrigger(baton: Baton, key: string): Promise<HookConfig['fires'][number]['triggerId']> {
  const job = await baton.jobs.get(key)
  const known = job.triggers.find((one) => one.kind === 'git_push')
  if (known) return known.id
  const added = await baton.jobs.addTrigger(job.id, { kind: 'git_push' })
  const made = added.job.triggers.find((one) => one.kind === 'git_push')
  if (!made) throw new BatonError('internal', `The relay made no push trigger for ${key}.`)
  return made.id
}

export async function uninstallGitHook(
  session: Session,
  _args: string[],
  options: { repo: string; job?: string },
): Promise<void> {
  const places = await hookPlaces(resolve(options.repo))
  const config = await readHookConfig(places.config)
  const left = config.fires.filter((one) => options.job !== undefined && one.job !== options.job)
  const removed: string[] = []
  for (const hook of HOOK_NAMES) {
    if (left.some((one) => one.hook === hook)) continue
    if (await removeHookScript(places.hooks, hook)) removed.push(hook)
  }
  await writeHookConfig(places.config, { fires: left })
  session.print({ removed, left }, () =>
    removed.length > 0
      ? `${removed.join(' and ')} in ${places.hooks} ${removed.length > 1 ? 'are' : 'is'} as before.`
      : left.length > 0
        ? 'The hook stays for other jobs.'
        : 'There was no hook of Baton.',
  )
}

export async function listGitHooks(
  session: Session,
  _args: string[],
  options: { repo: string },
): Promise<void> {
  const { fires } = await readHookConfig((await hookPlaces(resolve(options.repo))).config)
  session.print({ items: fires }, () =>
    fires.map((one) => `${one.hook}  ${printable(one.job)}  ${printable(one.branches.join(' '))}`).join('\n'),
  )
  if (fires.length === 0) session.note('No hook of Baton here: baton hook git install --repo . --job <key>')
}

const ANSWER_WITHIN_MS = 5_000

/**
 * What the hook itself calls. Everything is on the disk before the relay is asked; what it does not answer in time, the
 * runner of the profile tells later.
 */
export async function fireGitHook(session: Session, [hook = '', remoteName, url]: string[]): Promise<void> {
  const name = HOOK_NAMES.find((one) => one === hook)
  if (!name) throw new BatonError('bad_input', `There is no hook "${hook}": ${HOOK_NAMES.join(', ')}.`)
  const repository = process.cwd()
  const pushes = readPushes(name, await readAll(process.stdin))
  const { fires } = await readHookConfig((await hookPlaces(repository)).config)
  const remote = remoteName && url ? { name: remoteName, url } : null
  const told: string[] = []
  for (const push of pushes) {
    const payload = await describePush(repository, name, push, remote)
    for (const one of fires) {
      const wanted = one.branches.some((glob) => matchesGlob(glob, payload.push.branch))
      if (one.hook !== name || !wanted) continue
      const run = session.env.BATON_RUN_ID
      const fire = {
        kind: 'git_push' as const,
        triggerId: one.triggerId,
        key: newFireKey(0, pushKey(one.triggerId, payload)),
        payload,
        cause: run ? `${run}; hops=1` : null,
      }
      const paths = openPaths(session.env, one.profile)
      await writeFire(paths.firesFolder, fire)
      if (await tell(session, fire, paths.firesFolder)) told.push(one.job)
    }
  }
  session.print({ told }, () => told.join('\n'))
}

async function tell(
  session: Session,
  fire: Extract<MachineFire, { kind: 'git_push' }>,
  folder: string,
): Promise<boolean> {
  const { createFireSpool } = await import('../watches/fire-spool.ts')
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(() => late.resolve(null), ANSWER_WITHIN_MS)
  try {
    const baton = await session.baton()
    const answer = await Promise.race([baton.jobs.push(fire), late.promise])
    if (answer === null) return false
    await createFireSpool(folder).forget(fire.key)
    return answer.result === 'stored'
  } catch {
    // The runner of the profile has it now.
    return false
  } finally {
    clearTimeout(timer)
  }
}
