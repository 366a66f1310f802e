import { unwatchFile, watchFile } from 'node:fs'
import { join } from 'node:path'
import { type Runtime, type RuntimeProbe, runtimeProbe } from '@baton/protocol'
import { createPollLoop, type Logger, type Service } from '@baton/service'
import { z } from 'zod'
import { factsKey, type KnownFacts } from './agents/ask-facts.ts'
import { detectRuntimes } from './agents/detect-runtimes.ts'
import type { ProfilePaths } from './config/paths.ts'
import type { Policy } from './config/policy.ts'
import { readTextFile, writePrivateFile } from './config/private-file.ts'
import type { Read } from './config/profile.ts'

const LOOK_EVERY_MS = 10 * 60_000
/** The policy file says which commands there are: a new one is to be offered while its owner still looks. */
const LOOK_AT_POLICY_EVERY_MS = 1_000

export type KnownRuntimes = Service & {
  now(): RuntimeProbe[]
  /** Asks again when the runtime's program is another one than was asked: before it gets work. */
  freshen(runtime: Runtime): Promise<void>
}

/**
 * Which agents this machine has. Asking them takes seconds, so a start goes on with what the last one found and says so
 * when it has changed; only the very first start waits. A changed policy file is noticed within a second or two.
 */
export async function createKnownRuntimes(
  paths: ProfilePaths,
  policy: () => Promise<Read<Policy>>,
  environment: Readonly<Record<string, string | undefined>>,
  onChange: () => Promise<void>,
  logger: Logger,
): Promise<KnownRuntimes> {
  const file = join(paths.stateFolder, 'runtimes.json')
  const facts: KnownFacts = new Map()
  const stored = await readStored(file)
  let known = stored ?? (await look())

  async function look(): Promise<RuntimeProbe[]> {
    const read = await policy()
    const found = await detectRuntimes({ environment, facts, ...(read.ok ? { policy: read.value } : {}) })
    await writePrivateFile(file, JSON.stringify(found))
    return found
  }

  let renewing: Promise<void> | null = null
  async function renew() {
    const found = await look()
    if (JSON.stringify(found) === JSON.stringify(known)) return
    known = found
    await onChange()
  }
  const renewOnce = () => {
    renewing ??= renew().finally(() => {
      renewing = null
    })
    return renewing
  }

  async function freshen(runtime: Runtime) {
    const probe = known.find((one) => one.runtime === runtime)
    // With no facts at all nothing was asked since the start, and the first look is under way.
    if (!probe?.path || probe.version === null || facts.size === 0) return
    const key = await factsKey(probe.path).catch(() => null)
    if (key === null || !facts.has(key)) await renewOnce()
  }

  const loop = createPollLoop({
    everyMs: LOOK_EVERY_MS,
    run: renewOnce,
    onError: (error) => logger.warn({ error }, 'The agents of this machine could not be looked for.'),
  })
  const lookAgain = () => loop.wake()
  return {
    start: async () => {
      watchFile(paths.policyFile, { interval: LOOK_AT_POLICY_EVERY_MS, persistent: false }, lookAgain)
      await loop.start()
    },
    stop: async () => {
      unwatchFile(paths.policyFile, lookAgain)
      await loop.stop()
    },
    now: () => known,
    freshen,
  }
}

async function readStored(file: string): Promise<RuntimeProbe[] | null> {
  const text = await readTextFile(file)
  if (text === null) return null
  try {
    return z.array(runtimeProbe).parse(JSON.parse(text))
  } catch {
    return null
  }
}
