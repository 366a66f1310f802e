import { eventually } from '@baton/testkit'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { withDashboard } from './support/with-dashboard.ts'

describe('the dashboard in a browser', { timeout: 60_000 }, () => {
  const { place, open, openSignedIn } = withDashboard({ prepare: ({ runner }) => runner.start() })

  test('a sign-in link signs in once, and its secret leaves the address at once', async () => {
    await using opened = await open()
    const { page, problems } = opened
    const link = await place.signInLink()
    await page.goto(link)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(page.url()).toBe(`${place.url}/`)
    await page.locator('[data-connection=live]').first().waitFor()
    expect(problems).toEqual([])

    await page.context().clearCookies()
    await page.goto(link)
    await page.getByRole('heading', { name: 'Sign in to Baton' }).waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('used before')
    expect(page.url()).toBe(`${place.url}/`)
  })

  test('a run that is started on the page shows its lines as they come, and its certificate at the end', async () => {
    await using opened = await openSignedIn()
    const { page, problems } = opened
    await page.getByRole('button', { name: 'Start a run' }).click()
    await page.getByLabel('What should the agent do?').fill('@demo pause 150\n@demo text 20\n@demo ok')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.waitForURL(/\/runs\/run_/)
    await page.getByText('plain line 3', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(1)
    await page.getByText('succeeded').waitFor()
    await page.getByText(/^✓ Complete, \d+ of \d+/).waitFor()
    expect(problems).toEqual([])
  })

  test('loading the page again in the middle of a run repeats no line and loses none', async () => {
    await using opened = await openSignedIn({ viewport: { width: 1000, height: 5_000 } })
    const { page, problems } = opened
    const runId = await place.startRun('@demo pause 20\n@demo text 120\n@demo ok')
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('plain line 20', { exact: true }).waitFor()
    await page.reload()
    await page.getByText('succeeded').waitFor()
    expect(await plainLines(page)).toEqual(numbers(120))
    expect(problems).toEqual([])
  })

  test('a relay that is killed and comes back loses no line, and the page says that it was away', async () => {
    await using opened = await openSignedIn({ viewport: { width: 1000, height: 5_000 } })
    const { page } = opened
    const runId = await place.startRun('@demo pause 40\n@demo text 120\n@demo ok')
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('plain line 10', { exact: true }).waitFor()
    await place.stopRelay()
    await page.locator('[data-connection=offline]').first().waitFor()
    expect(await page.locator('[data-connection]').first().textContent()).toMatch(/offline – showing \d/)
    await place.startRelay()
    await page.locator('[data-connection=live]').first().waitFor({ timeout: 30_000 })
    await page.getByText('succeeded').waitFor({ timeout: 30_000 })
    expect(await plainLines(page)).toEqual(numbers(120))
  })

  test('cancelling on the page asks first, then ends the agent and shows the proof', async () => {
    await using opened = await openSignedIn()
    const { page, problems } = opened
    const runId = await place.startRun('@demo text 3\n@demo hang')
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('plain line 3', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Keep it' }).click()
    expect((await place.api.runs.get.query({ id: runId })).cancelRequestedAt).toBeNull()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByText('Nothing was left after').waitFor()
    await page.getByRole('button', { name: 'Run again' }).waitFor()
    expect((await place.api.runs.get.query({ id: runId })).status).toBe('stopped')
    expect(problems).toEqual([])
  })

  test('a long log opens at its end, loads what is older by scrolling, and a link leads to its line', async () => {
    await using opened = await openSignedIn()
    const { page, problems } = opened
    const runId = await place.startRun('@demo pause 0\n@demo lines 2500\n@demo ok')
    await eventually(
      async () => {
        const { ladder } = await place.api.runs.get.query({ id: runId })
        if (ladder.finishedAt === null) throw new Error('still running')
      },
      { timeoutMs: 40_000 },
    )
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('line 2500', { exact: true }).waitFor()
    await page.getByText(/events [\d,]+ to [\d,]+, 1,0\d\d loaded/).waitFor()
    await page.getByRole('searchbox').fill('line 24')
    await page.getByText('100 in 100 rows').waitFor()
    await page.getByRole('searchbox').fill('')
    await page.goto(`${place.url}/runs/${runId}#L40`)
    await page.reload()
    await page.locator('[data-seq="40"]').waitFor()
    expect(await page.locator('[data-seq="40"]').isVisible()).toBe(true)
    expect(problems).toEqual([])
  })

  test('what agents and people write is shown as text and never becomes part of the page', async () => {
    await using opened = await openSignedIn()
    const { page, problems } = opened
    const payload = `<img src=x onerror="alert(1)"><script>alert(2)</script>`
    const { job } = await place.api.jobs.create.mutate({
      key: 'hostile',
      name: payload,
      agent: 'demo',
      prompt: `${payload}\n@demo write x.txt ${payload}\n@demo ansi\n@demo badtext\n@demo fail`,
    })
    const { runId, eventId } = await place.api.jobs.run.mutate({ id: job.id, payload: { evil: payload } })
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('It was told to fail').first().waitFor()
    await page.getByRole('button', { name: /^Write/ }).click()
    for (const path of ['/', '/runs', '/jobs', `/jobs?job=${job.id}`, `/events?event=${eventId}`]) {
      await page.goto(place.url + path)
      await page
        .getByText(/<img src=x|onerror/)
        .first()
        .waitFor({ state: 'attached' })
    }
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(problems).toEqual([])
  })

  test('at the width of a small phone no page scrolls sideways', async () => {
    await using opened = await openSignedIn({ viewport: { width: 320, height: 640 } })
    const { page, problems } = opened
    const runId = await place.startRun(`@demo ansi\n@demo longline 5000\n@demo ok ${'x'.repeat(300)}`)
    const job = (await place.api.jobs.list.query())[0]
    const { items } = await place.api.events.list.query({ limit: 1 })
    const paths = ['/', '/runs', `/runs/${runId}`, '/jobs', '/machines', '/events']
    for (const path of [...paths, `/jobs?job=${job?.id}`, `/events?event=${items[0]?.id}`]) {
      await page.goto(place.url + path)
      await page.getByRole('heading').first().waitFor()
      await page.waitForLoadState('networkidle')
      expect(await tooWide(page), path).toEqual([])
    }
    expect(problems).toEqual([])
  })

  test('the keyboard goes everywhere, and its keys are off while typing', async () => {
    await using opened = await openSignedIn()
    const { page, problems } = opened
    await page.keyboard.type('gj')
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    await page.keyboard.type('gm')
    await page.getByRole('heading', { name: 'Machines', exact: true }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.type('gr')
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor()
    await page.locator('[data-row]').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/runs\/run_/)
    await page.getByRole('searchbox').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('gm')
    expect(await page.getByRole('searchbox').inputValue()).toBe('gm')
    expect(page.url()).toContain('/runs/run_')
    expect(problems).toEqual([])
  })

  test('a chosen theme stays, and otherwise the system decides', async () => {
    await using opened = await openSignedIn({ colorScheme: 'dark' })
    const { page } = opened
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await background()
    await page
      .getByRole('button', { name: /^Theme: system/ })
      .first()
      .click()
    const light = await background()
    expect(light).not.toBe(dark)
    await page.reload()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(await background()).toBe(light)
  })

  test('a delivery that waits for its machine says why, and what to do', async () => {
    await using opened = await openSignedIn()
    const { page, problems } = opened
    await place.runner.stop()
    const runId = await place.startRun('@demo ok')
    await page.goto(`${place.url}/runs/${runId}`)
    const why = page.getByRole('region', { name: 'Why it waits' })
    await why
      .getByText(/laptop/)
      .first()
      .waitFor()
    await place.runner.start()
    await page.getByText('succeeded').waitFor()
    expect(await why.count()).toBe(0)
    expect(problems).toEqual([])
  })
})

const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1)

/** The numbers of the lines "plain line N", in the order in which the page shows them. */
async function plainLines(page: Page): Promise<number[]> {
  const texts = await page.locator('[data-seq]').allInnerTexts()
  return texts.flatMap((text) => /plain line (\d+)/.exec(text)?.[1] ?? []).map(Number)
}

/** What makes the page wider than its window. */
async function tooWide(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const roots = [document.documentElement, document.querySelector('main'), document.querySelector('dialog')]
    return roots.flatMap((root) => {
      if (!root || root.scrollWidth <= Math.min(width, root.clientWidth)) return []
      return [`${root.tagName} is ${root.scrollWidth} wide in ${root.clientWidth}`]
    })
  })
}
