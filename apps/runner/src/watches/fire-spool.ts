import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CHANGED_PATHS, type MachineFire, machineFire } from '@baton/protocol'
import { replaceFile } from '../journal/open-record-file.ts'

/** Fires that the relay has not answered yet: one file each, so that hooks in other processes can leave theirs too. */
export type FireSpool = {
  /** Resolves when it is on the disk. Joins changes of the same trigger that nobody has tried to send yet. */
  keep(fire: MachineFire): Promise<void>
  /** The oldest first. */
  list(): Promise<MachineFire[]>
  /** From now on what is sent stays as it is. */
  trying(fires: readonly MachineFire[]): void
  forget(key: string): Promise<void>
}

/** More than this is never kept: the oldest goes, because the newest says what is so. */
const KEPT = 1_000

export function createFireSpool(folder: string): FireSpool {
  /** Nothing joins what another process left, or what may have reached the relay. */
  const open = new Map<string, MachineFire>()
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work, work)
    turn = next.catch(() => undefined)
    return next
  }

  return {
    keep: (fire) =>
      inTurn(async () => {
        const joined = joinChanges(open.get(fire.triggerId), fire)
        open.set(fire.triggerId, joined)
        await writeFire(folder, joined)
      }),
    list: () => inTurn(() => readFires(folder)),
    trying(fires) {
      for (const fire of fires) if (open.get(fire.triggerId)?.key === fire.key) open.delete(fire.triggerId)
    },
    forget: (key) => inTurn(() => rm(join(folder, nameOf(key)), { force: true })),
  }
}

/** Keys are written so that their files sort by the time they were kept. */
export const newFireKey = (nowMs: number, unique: string) =>
  `${Math.floor(nowMs).toString(36).padStart(9, '0')}-${unique}`

/** Leaves a fire for the runner. Resolves when it is on the disk. */
export async function writeFire(folder: string, fire: MachineFire): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await replaceFile(join(folder, nameOf(fire.key)), Buffer.from(JSON.stringify(fire)))
  await file.close()
}

async function readFires(folder: string): Promise<MachineFire[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort()
  for (const old of names.splice(0, Math.max(0, names.length - KEPT)))
    await rm(join(folder, old), { force: true })
  const fires: MachineFire[] = []
  for (const name of names) {
    const fire = await readFire(join(folder, name))
    if (fire) fires.push(fire)
    // A file that is no fire will never be one.
    else await rm(join(folder, name), { force: true })
  }
  return fires
}

async function readFire(path: string): Promise<MachineFire | null> {
  try {
    return machineFire.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? null
  } catch {
    return null
  }
}

function joinChanges(earlier: MachineFire | undefined, later: MachineFire): MachineFire {
  if (earlier?.kind !== 'file_change' || later.kind !== 'file_change') return later
  const [before, after] = [earlier.payload.changes, later.payload.changes]
  const paths = [...new Set([...before.paths, ...after.paths])].sort()
  return {
    ...earlier,
    cause: earlier.cause ?? later.cause,
    payload: {
      changes: {
        folder: after.folder,
        paths: paths.slice(0, CHANGED_PATHS),
        count: Math.max(paths.length, before.count, after.count),
        overflow: before.overflow || after.overflow || paths.length > CHANGED_PATHS,
        ...((before.missed || after.missed) && { missed: true }),
      },
    },
  }
}

/** Keys of ours have nothing that a file name may not have. */
const nameOf = (key: string) => `${key.replaceAll(':', '_')}.json`
