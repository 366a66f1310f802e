import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

export type OpenPage = AsyncDisposable & {
  page: Page
  /** What the page complained about: errors on the console, uncaught errors, dialogs. */
  problems: string[]
}

/** A page in a browser profile of its own that remembers everything it complains about. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { page, problems, [Symbol.asyncDispose]: () => context.close() }
}
