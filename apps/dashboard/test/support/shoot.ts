import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** With BATON_SHOTS set, what a person sees is kept there to be looked at: light and dark, wide and narrow. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.BATON_SHOTS
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme })
    for (const [size, width, height] of [
      ['wide', 1280, 900],
      ['narrow', 390, 844],
    ] as const) {
      await page.setViewportSize({ width, height })
      const path = join(folder, `${name}-${scheme}-${size}.png`)
      // A page scrolls inside itself: it is made as tall as what it holds, so that all of it is seen.
      const all = await page.evaluate(() => document.querySelector('main')?.scrollHeight ?? 0)
      await page.setViewportSize({ width, height: Math.min(2_600, Math.max(height, all + 120)) })
      await page.screenshot({ path, animations: 'disabled' })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1280, height: 800 })
}
