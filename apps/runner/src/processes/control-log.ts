import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import type { Offsets } from './supervised-run.ts'

/** What a runner tells a supervisor, one JSON object a line. The first line of a log names the attempt. */
export type ControlCommand =
  | { attempt: string }
  | { stdin: string; id?: string }
  | { closeStdin: true }
  | { stop: { reason: string; graceMs: number } }
  | { consumed: Offsets }

export type ControlWriter = {
  /** Text for stdin with an id that the log has, from this runner or an earlier one, is not appended again. */
  tell(command: ControlCommand): Promise<void>
  /** Shows the supervisor that a runner is there. */
  touch(): Promise<void>
  close(): Promise<void>
}

/** Appends commands in the order of the calls. A line that a killed runner left unfinished is ended first. */
export async function openControlWriter(path: string): Promise<ControlWriter> {
  const file: FileHandle = await open(path, 'a', 0o600)
  const written = writtenIds(await readFile(path, 'utf8'))
  let last: Promise<void> = file.appendFile('\n')
  await last
  const after = (act: () => Promise<void>) => {
    last = last.catch(() => {}).then(act)
    return last
  }
  return {
    tell: (command) =>
      after(async () => {
        const id = 'stdin' in command ? command.id : undefined
        if (id !== undefined && written.has(id)) return
        await file.appendFile(`${JSON.stringify(command)}\n`)
        if (id !== undefined) written.add(id)
      }),
    touch: () => after(() => file.utimes(new Date(), new Date())),
    close: () => after(() => file.close()),
  }
}

function writtenIds(log: string): Set<string> {
  const commands = log.split('\n').map(parse)
  return new Set(commands.flatMap((one) => (one && 'stdin' in one && one.id !== undefined ? [one.id] : [])))
}

export type ControlReader = {
  /** Reads what is new; for the slow poll beside the watch. */
  look(): void
  /** When a runner last wrote or touched the log; null when the log is gone. */
  touchedAt(): number | null
  close(): void
}

/** Hands every whole line to `onCommand`, from the start of the log on. Lines that are no JSON are skipped. */
export function followControl(path: string, onCommand: (command: ControlCommand) => void): ControlReader {
  const fd = openSync(path, 'r')
  let offset = 0
  let closed = false

  function look(): void {
    if (closed) return
    const { size } = fstatSync(fd)
    if (size <= offset) return
    const buffer = Buffer.alloc(size - offset)
    const count = readSync(fd, buffer, 0, buffer.length, offset)
    // Cut at the last line end: a character may be half there.
    const whole = buffer.subarray(0, count).lastIndexOf(10) + 1
    if (whole === 0) return
    offset += whole
    for (const line of buffer.toString('utf8', 0, whole).split('\n')) {
      const command = parse(line)
      if (command) onCommand(command)
    }
  }

  const watcher = watchQuietly(path, look)
  return {
    look,
    touchedAt: () => (existsSync(path) ? statSync(path).mtimeMs : null),
    close() {
      closed = true
      watcher?.close()
      closeSync(fd)
    },
  }
}

/** Watches where the system allows it: the limit of watches may be reached, and then the poll must do. */
function watchQuietly(path: string, onChange: () => void) {
  try {
    const watcher = watch(path, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return null
  }
}

function parse(line: string): ControlCommand | null {
  if (line === '') return null
  try {
    return JSON.parse(line) as ControlCommand
  } catch {
    return null // half a line of a runner that was killed while writing it
  }
}
