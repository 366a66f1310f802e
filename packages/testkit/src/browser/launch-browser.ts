import { type Browser, chromium } from 'playwright-core'
import { findBrowser } from './find-browser.ts'

export type LaunchedBrowser = AsyncDisposable & { browser: Browser; from: string }

/**
 * Starts a headless Chromium, or answers null when none can be had: a test then skips and says so. With CI=1 a
 * missing browser is an error instead, so that a pipeline never passes without having looked.
 */
export async function launchBrowser(): Promise<LaunchedBrowser | null> {
  const found = findBrowser()
  if (found === null) {
    if (process.env.CI) throw new Error('No Chromium was found: install one or set CHROMIUM_PATH.')
    return null
  }
  const environment = Object.entries({ ...process.env, ...found.env }).filter(
    (entry) => entry[1] !== undefined,
  )
  const browser = await chromium.launch({
    executablePath: found.executablePath,
    env: Object.fromEntries(environment) as Record<string, string>,
  })
  return { browser, from: found.from, [Symbol.asyncDispose]: () => browser.close() }
}
