// A vitest setup file: it runs in the worker of every test file, before the file is loaded.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect } from 'vitest'
import { eventually } from './eventually.ts'
import { listMarkedProcesses, mark } from './marked-processes.ts'

const graceMs = 5_000
/** Descendants carry this in their environment, also those that were detached and lost their parent. */
const token = randomUUID()

/** What keeps a process alive. A timer that was unreferenced, such as that of AbortSignal.timeout, does not. */
const watched = ['TCPServerWrap', 'TCPSocketWrap', 'PipeWrap', 'ProcessWrap', 'FSEventWrap', 'Timeout']

let before: Map<string, number>

beforeAll(() => {
  process.env[mark] = token
  // vitest has pipes to its workers. Its timers come and go within moments, so none of them is expected at the end.
  before = countResources().set('Timeout', 0)
})

// Hooks end in the reverse order of their registration, so this one comes after all of the test file's.
afterAll(async () => {
  try {
    await eventually(() => expect(describeLeaks(), 'left behind by this test file').toEqual([]), {
      timeoutMs: graceMs,
    })
  } finally {
    for (const { pid } of listMarkedProcesses(token)) killIfThere(pid)
  }
}, graceMs * 2)

function describeLeaks(): string[] {
  const now = countResources()
  const extra = watched.map((name) => ({ name, count: (now.get(name) ?? 0) - (before.get(name) ?? 0) }))
  return [
    ...listMarkedProcesses(token).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...extra.filter(({ count }) => count > 0).map(({ name, count }) => `${count} × ${name}`),
  ]
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
