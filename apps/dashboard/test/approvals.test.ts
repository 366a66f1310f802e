import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { shoot } from './support/shoot.ts'
import { withDashboard } from './support/with-dashboard.ts'

const { place, openSignedIn } = withDashboard({
  async prepare({ api, runner }) {
    await runner.start()
    const [machine] = await api.machines.list.query()
    const agent = { key: 'claude', name: 'Claude', machineId: machine?.id ?? '', runtime: 'claude' as const }
    await api.agents.create.mutate({ ...agent, approvals: { mode: 'ask' } })
  },
})

test('a person sees what an agent asks, and allows or denies it from the page', async () => {
  await using opened = await openSignedIn()
  const { page, problems } = opened
  const id = await place.startRun(
    '@say I look at the tests first.\n@ask npm test -- --run && npm run build\n@ask rm -rf ./dist\n@say All done.',
    'claude',
  )
  const card = page.getByRole('region', { name: /Claude asks to use Bash/ })
  await card.getByText('npm test -- --run && npm run build').waitFor()
  await page.getByText('one question waits').first().waitFor({ state: 'attached' })
  await expect.poll(() => page.title()).toMatch(/^◆ 1 · Overview/)
  await shoot(page, 'overview')
  await card.getByRole('link', { name: 'See its run' }).click()
  // The overview has the same card and sentence, but with that link.
  await card.getByRole('link', { name: 'See its run' }).waitFor({ state: 'detached' })
  await page.getByText('Waiting for approval: Bash npm test').first().waitFor()
  await card.getByLabel('The rest of this run').check()
  await card.getByLabel(/What is allowed without a question/).waitFor()
  await shoot(page, 'run')
  await card.getByLabel('This once').check()
  await card.getByRole('button', { name: 'Allow' }).click()
  await card.getByText('rm -rf ./dist').waitFor()
  await card.getByLabel(/A word to the agent/).fill('Leave dist alone.')
  await page.keyboard.press('Enter')
  expect(await card.getByText('rm -rf ./dist').isVisible()).toBe(true)
  await card.getByRole('button', { name: 'Deny' }).click()
  await card.waitFor({ state: 'detached' })
  await eventually(async () => {
    const { items } = await place.api.approvals.list.query({ runId: id })
    expect(items.map(({ state, answeredVia, message }) => [state, answeredVia, message])).toEqual([
      ['denied', 'dashboard', 'Leave dist alone.'],
      ['allowed', 'dashboard', null],
    ])
  })
  await expect.poll(() => page.title()).not.toMatch(/◆/)
  expect(problems).toEqual([])
})

test('a person says something to a run while it works', async () => {
  await using opened = await openSignedIn()
  const { page, problems } = opened
  const id = await place.startRun('@say Listening.\n@listen\n@hang', 'claude')
  await page.goto(`${place.url}/runs/${id}`)
  const box = page.getByLabel('Say something to Claude while it works')
  await box.fill('@say Heard you.')
  await shoot(page, 'steer')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Heard you.', { exact: true }).waitFor()
  await expect.poll(() => box.inputValue()).toBe('')
  await page.getByRole('button', { name: 'Interrupt' }).click()
  await page.getByText('A person interrupted what it was doing.').first().waitFor()
  await box.waitFor({ state: 'detached' })
  expect(problems).toEqual([])
})
