import type { Page } from 'playwright-core'

/** What makes the page wider than its window. */
export async function tooWide(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const width = document.documentElement.clientWidth
    return [document.documentElement, ...document.querySelectorAll('main, main form, main .card')].flatMap(
      (one) => {
        const { right } = one.getBoundingClientRect()
        const isTooWide = right > width + 1 || (one.tagName === 'MAIN' && one.scrollWidth > one.clientWidth)
        return isTooWide ? [`${one.tagName} ${one.className.slice(0, 60)} ends at ${right}`] : []
      },
    )
  })
}
