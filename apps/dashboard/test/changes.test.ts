import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { shoot } from './support/shoot.ts'
import { withDashboard } from './support/with-dashboard.ts'

const { place, openSignedIn } = withDashboard({ prepare: ({ runner }) => runner.start() })

async function finished(prompt: string): Promise<string> {
  const id = await place.startRun(prompt)
  await eventually(async () => {
    const run = await place.api.runs.get.query({ id })
    if (run.ladder.finishedAt === null) throw new Error('it has not ended')
  })
  return id
}

test('a person reads what a run changed, by mouse and by keys, and undoes it from the page', async () => {
  const hostile = '<img src=x onerror=alert(1)>\u202e\u001b[31m'
  await finished('@demo write src/first.ts const answer = 41\n@demo write notes.md soon gone\n@demo ok')
  const id = await finished(
    `@demo write src/first.ts const answer = 42 // ${'a long line '.repeat(20)}\n@demo write src/second.ts ${hostile}\n@demo ok`,
  )
  await using opened = await openSignedIn()
  const { page, problems } = opened
  await page.goto(`${place.url}/runs/${id}`)
  await page.getByRole('tab', { name: 'Changes (2)' }).click()
  const files = page.getByRole('list', { name: 'Changed files' })
  await files.getByText('const answer = 41').waitFor()
  await page.getByText('2 files changed').waitFor()
  expect(await files.getByText('<img src=x onerror=alert(1)>⟨U+202E⟩^[[31m').count()).toBe(1)
  await shoot(page, 'changes')

  const first = files.getByRole('button', { name: /src\/first\.ts/ })
  await first.click()
  expect(await first.getAttribute('aria-expanded')).toBe('false')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  expect(await files.getByRole('button', { name: /second/ }).getAttribute('aria-expanded')).toBe('false')
  await page.getByRole('button', { name: 'Open all' }).click()
  await files.getByText('const answer = 41').waitFor()

  await page.setViewportSize({ width: 390, height: 844 })
  for (const inside of [first, page.getByRole('button', { name: 'Undo', exact: true })]) {
    const box = await inside.boundingBox()
    expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(390)
  }
  await page.setViewportSize({ width: 1280, height: 800 })

  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  await page.getByText('Would put back 2 files.').waitFor()
  await shoot(page, 'undo')
  await page.getByRole('button', { name: 'Put it back' }).click()
  await page.getByText('Put back 2 files.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
  await page.getByRole('button', { name: 'Undone; bring it back' }).waitFor()
  expect((await place.api.runs.get.query({ id })).undo).toMatchObject({ state: 'done', kind: 'undo' })
  expect(problems).toEqual([])
})
