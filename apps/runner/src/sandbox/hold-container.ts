import { stat } from 'node:fs/promises'
import { type ContainerPlan, containerName, runArguments } from './container-plan.ts'
import { callEngine, type Engine, lastLine } from './engine.ts'

/** Pulling an image is part of making the first container of it. */
const MAKE_MS = 15 * 60_000

/**
 * The running container of a plan: found by its name, started or woken when it stands still, made when there is none. The
 * caller sees to it that this is done by one at a time for each name. Answers its name, or why there is none.
 */
export async function holdContainer(
  engine: Engine,
  plan: ContainerPlan,
  signal: AbortSignal,
): Promise<{ name: string } | { problem: string }> {
  const name = containerName(plan)
  for (const { path } of plan.mounts)
    if (!(await stat(path).catch(() => null))) return { problem: `${path} is missing on that machine.` }
  const state = await stateOf(engine, name)
  if (state === 'running') return { name }
  const call = (...args: string[]) => callEngine(engine, args, { timeout: MAKE_MS, cancelSignal: signal })
  if (state === 'paused') await call('unpause', name)
  else if (state !== null) await call('start', name)
  if (state !== null && (await stateOf(engine, name)) === 'running') return { name }
  if (state !== null) await call('rm', '--force', name)
  const made = await call(...runArguments(plan, name, engine.name))
  if (made.ok && (await stateOf(engine, name)) === 'running') return { name }
  const logs = made.ok ? await call('logs', '--tail', '5', name) : null
  await call('rm', '--force', name)
  return {
    problem: explain(engine, plan, made.ok ? `${logs?.stdout} ${logs?.stderr}` : made.stderr, made.timedOut),
  }
}

async function stateOf(engine: Engine, name: string): Promise<string | null> {
  const asked = await callEngine(engine, [
    'inspect',
    '--type',
    'container',
    '--format',
    '{{.State.Status}}',
    name,
  ])
  return asked.ok ? asked.stdout.trim() : null
}

function explain(engine: Engine, plan: ContainerPlan, said: string, timedOut: boolean): string {
  const { image, network } = plan.isolation
  const doing = `Making a container of ${image} with ${engine.name} failed`
  if (timedOut)
    return `${doing}: it took longer than 15 minutes. Pull the image there first: ${engine.name} pull ${image}`
  const last = lastLine(said)
  if (
    /unable to find image|no such image|manifest unknown|pull access denied|not found: manifest|initializing source/i.test(
      said,
    )
  )
    return `${doing}: the image is not there and could not be pulled. Try on that machine: ${engine.name} pull ${image} (${last})`
  if (/network .*not found|unable to find network/i.test(said))
    return `${doing}: there is no network "${network}" on that machine (${last})`
  if (/"?\/bin\/sh"?.*no such file|executable file.*not found/i.test(said))
    return `${doing}: the image has no /bin/sh, which a container of an agent needs (${last})`
  if (/no space left on device/i.test(said)) return `${doing}: the disk is full. Free some space there.`
  return `${doing}: ${last}`
}
