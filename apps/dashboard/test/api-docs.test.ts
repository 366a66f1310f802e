import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { findBarriers } from './support/find-barriers.ts'
import { shoot } from './support/shoot.ts'
import { withDashboard } from './support/with-dashboard.ts'

const { place, open } = withDashboard()

async function expectNarrowFits(page: Page) {
  await page.setViewportSize({ width: 360, height: 740 })
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(over).toBeLessThanOrEqual(0)
  await page.setViewportSize({ width: 1280, height: 800 })
}

test('whoever is not signed in reads and searches the API', { timeout: 60_000 }, async () => {
  await using opened = await open()
  const { page, problems } = opened
  await page.goto(`${new URL(await place.signInLink()).origin}/docs/api`)
  await page.getByRole('heading', { name: 'REST API' }).waitFor()
  await page.getByText('You are not signed in.').waitFor()
  await page.getByRole('searchbox').fill('cancel run')
  await expect.poll(() => page.locator('details').count()).toBe(1)
  await page.getByText('/runs/{id}/cancel').click()
  await page.getByText('Needs the scope run.').waitFor()
  await page.getByText(/curl -X POST .*\/api\/v1\/runs\/<id>\/cancel/).waitFor()
  await page.getByRole('heading', { name: 'Answer 200: Run' }).waitFor()
  await page.getByText(/sentence: string {2}\/\/ One sentence/).waitFor()
  expect(await findBarriers(page)).toEqual([])
  await shoot(page, 'api-docs')
  await expectNarrowFits(page)
  // That nobody is signed in is what the browser itself complains about.
  expect(problems.filter((problem) => !problem.includes('401'))).toEqual([])
})

test('a person makes a token with scopes, sees it once, and revokes it', { timeout: 60_000 }, async () => {
  await using opened = await open()
  const { page, problems } = opened
  const link = await place.signInLink()
  const { origin } = new URL(link)
  await page.goto(link)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.goto(`${origin}/tokens`)
  await page.getByRole('button', { name: 'New token' }).click()
  await page.getByLabel('Name').fill('ci')
  await page.getByLabel(/^run/).uncheck()
  await shoot(page, 'token-new')
  await page.getByRole('button', { name: 'Make it' }).click()
  const secret = await page.getByText(/^bt_/).textContent()
  const me = await fetch(`${origin}/api/v1/me`, { headers: { authorization: `Bearer ${secret}` } })
  expect(((await me.json()) as { scopes: string[] }).scopes).toEqual(['read'])
  await page.getByRole('button', { name: 'I have it' }).click()

  const list = page.getByRole('list', { name: 'API tokens' })
  await list.getByText('ci', { exact: true }).waitFor()
  expect(await page.getByText(secret ?? '').count()).toBe(0)
  expect(await findBarriers(page)).toEqual([])
  await shoot(page, 'tokens')
  await expectNarrowFits(page)
  await list.getByRole('button', { name: 'Revoke ci' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke it' }).click()
  await list.getByText('revoked').waitFor()
  const gone = await fetch(`${origin}/api/v1/me`, { headers: { authorization: `Bearer ${secret}` } })
  expect(gone.status).toBe(401)
  expect(problems).toEqual([])
})
