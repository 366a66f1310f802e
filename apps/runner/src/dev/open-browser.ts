import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { writePrivateFile } from '../config/private-file.ts'

const READ_WITHIN_MS = 15_000

/**
 * Opens a one-time link in the browser. The link is a secret and arguments can be read by every user of this computer,
 * so the browser gets a file that only its owner can read and that leads there. Returns false where no browser opens.
 */
export async function openBrowser(url: string, file: string): Promise<boolean> {
  await writePrivateFile(
    file,
    `<!doctype html><meta charset="utf-8"><title>Baton</title><script>location.replace(${JSON.stringify(url)})</script>\n`,
  )
  sleep(READ_WITHIN_MS, undefined, { ref: false })
    .then(() => rm(file, { force: true }))
    .catch(() => {})
  const [program = '', ...args] = opener(pathToFileURL(file).href)
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}

function opener(url: string): string[] {
  if (process.platform === 'darwin') return ['open', url]
  if (process.platform === 'win32') return ['cmd', '/c', 'start', '', url]
  return ['xdg-open', url]
}
