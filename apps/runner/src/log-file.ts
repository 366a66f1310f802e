import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

const LARGEST_BYTES = 8 * 1024 * 1024

/** Appends lines to a log. When it gets large it becomes `<file>.1`, replacing the one before, and a new one begins. */
export function openLogFile(path: string): { write(line: string): void; end(): void } {
  let fd = openSync(path, 'a', 0o600)
  let size = fstatSync(fd).size
  return {
    /** A log that cannot be written (a full disk) must not end the work that it tells of. */
    write(line) {
      try {
        size += writeSync(fd, line)
        if (size < LARGEST_BYTES) return
        closeSync(fd)
        renameSync(path, `${path}.1`)
        fd = openSync(path, 'a', 0o600)
        size = 0
      } catch (error) {
        process.stderr.write(`${path}: ${(error as Error).message}\n${line}`)
      }
    },
    end: () => closeSync(fd),
  }
}
