import type { Logger, Service } from '@baton/service'
import { writePrivateFile } from './config/private-file.ts'

const AT_MOST_EVERY_MS = 100
/** Its time of change tells the next runner how long nobody was here, so it is written again while runs are live. */
const AGAIN_AFTER_MS = 5_000

export type StatusFile = Service & { changed(): void }

/** Keeps a file with what the runner is doing now, for `baton status`. */
export function createStatusFile(
  file: string,
  describe: () => { runs: unknown[] },
  logger: Logger,
): StatusFile {
  let timer: NodeJS.Timeout | null = null
  let again: NodeJS.Timeout | null = null
  let writing = Promise.resolve()

  function write(): Promise<void> {
    if (timer) clearTimeout(timer)
    timer = null
    writing = writing
      .then(() => writePrivateFile(file, `${JSON.stringify(describe(), null, 2)}\n`))
      .catch((error: unknown) => logger.warn({ error }, `${file} could not be written.`))
    return writing
  }

  return {
    changed() {
      timer ??= setTimeout(() => void write(), AT_MOST_EVERY_MS)
    },
    async start() {
      again = setInterval(() => {
        if (describe().runs.length > 0) void write()
      }, AGAIN_AFTER_MS)
      await write()
    },
    async stop() {
      if (again) clearInterval(again)
      await write()
    },
  }
}
