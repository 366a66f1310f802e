import { existsSync } from 'node:fs'
import path from 'node:path'
import { chromium } from 'playwright-core'
import { unpackBundledBrowser } from './unpack-bundled-browser.ts'

export type FoundBrowser = {
  executablePath: string
  /** What the browser needs besides the environment of this process. */
  env?: Record<string, string>
  /** Where it was found, for the one line that a test run prints about it. */
  from: string
}

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge']
const MAC_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * A Chromium that can be driven, or null when there is none: CHROMIUM_PATH, then the PATH, macOS applications,
 * playwright's own download, and at last the one that comes with `npm install` (Linux on x64), unpacked once.
 */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): FoundBrowser | null {
  if (environment.CHROMIUM_PATH) return { executablePath: environment.CHROMIUM_PATH, from: 'CHROMIUM_PATH' }
  const folders = (environment.PATH ?? '').split(path.delimiter).filter(Boolean)
  const candidates = [
    ...PROGRAMS.flatMap((name) => folders.map((folder) => ({ at: path.join(folder, name), from: 'PATH' }))),
    ...MAC_APPLICATIONS.map((at) => ({ at, from: 'applications' })),
    { at: chromium.executablePath(), from: 'playwright' },
  ]
  const found = candidates.find(({ at }) => existsSync(at))
  return found ? { executablePath: found.at, from: found.from } : unpackBundledBrowser()
}
