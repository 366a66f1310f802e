import {
  addInstallation,
  addRepository,
  addUser,
  githubHeaders,
  type StandInGithub,
  startStandInGithub,
} from '@baton/testkit'
import { afterAll, expect, test } from 'vitest'
import { shoot } from './support/shoot.ts'
import { withDashboard } from './support/with-dashboard.ts'

let github: StandInGithub

const { openSignedIn } = withDashboard({
  env: { BATON_OUTBOUND_ALLOW: '127.0.0.1' },
  async prepare() {
    github = await startStandInGithub()
  },
})
afterAll(() => github?.[Symbol.asyncDispose]())

test('a person connects GitHub, sees whether it is well, and removes it', { timeout: 60_000 }, async () => {
  await using opened = await openSignedIn()
  const { page, problems } = opened
  await page.getByRole('link', { name: 'GitHub' }).first().click()
  await page.getByText('No GitHub App is connected.').waitFor()
  await shoot(page, 'github-empty')

  await page.getByRole('button', { name: 'Connect GitHub' }).click()
  await page.getByLabel('Organization on GitHub').fill('acme')
  await page.getByLabel('Name of the App').fill('Baton Acme')
  await page.getByLabel('GitHub Enterprise Server').fill(github.url)
  await shoot(page, 'github-connect')
  await page.getByRole('button', { name: 'Go on' }).click()
  const [popup] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('link', { name: /Open GitHub/ }).click(),
  ])
  await popup.getByRole('button', { name: /Continue on/ }).click()
  await popup.getByText('is connected. Now choose the repositories').waitFor()
  await popup.close()
  await page.getByText('Connected.').waitFor()
  await page.getByRole('button', { name: 'Done' }).click()

  const app = github.world.apps[0]
  if (!app) throw new Error('GitHub has no App.')
  const repositories = ['acme/shop', 'acme/warehouse'].map((name) => addRepository(github.world, name))
  const installation = addInstallation(github.world, app, addUser(github.world, 'acme'), repositories)
  const body = JSON.stringify({ zen: 'x', hook_id: 1, hook: {}, installation: { id: installation.id } })
  const headers = githubHeaders(app, { event: 'ping', guid: 'first', body })
  expect((await fetch(app.hookUrl, { method: 'POST', body, headers })).status).toBe(202)
  await page.reload()
  const card = page.getByRole('list', { name: 'GitHub Apps' })
  await card.getByText('acme/warehouse').waitFor()
  await card.getByText('GitHub accepts the private key.').waitFor()
  await card.getByText(/The last delivery arrived/).waitFor()
  await shoot(page, 'github')
  await page.setViewportSize({ width: 360, height: 740 })
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
  await page.setViewportSize({ width: 1280, height: 800 })

  await card.getByRole('button', { name: 'Look for missed deliveries' }).click()
  await card.getByText(/Missed/).waitFor()
  await card.getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove it' }).click()
  await page.getByText('No GitHub App is connected.').waitFor()
  expect(problems).toEqual([])
})
