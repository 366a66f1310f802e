import { startTestReceiver, type TestReceiver } from '@baton/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { withDashboard } from './support/with-dashboard.ts'

describe('outputs in a browser', { timeout: 60_000 }, () => {
  let receiver: TestReceiver
  const { place, openSignedIn } = withDashboard({
    env: { BATON_OUTBOUND_ALLOW: '127.0.0.1' },
    async prepare({ runner }) {
      receiver = await startTestReceiver()
      await runner.start()
    },
  })
  afterAll(() => receiver?.[Symbol.asyncDispose]())

  test('an output is added, tested and changed on the panel of its job, and what failed is sent again from the run', async () => {
    const { job } = await place.api.jobs.create.mutate({ key: 'told', agent: 'demo', prompt: '@demo ok' })
    await using opened = await openSignedIn()
    const { page, problems } = opened
    await page.goto(`${place.url}/jobs?job=${job.id}`)
    await page.getByRole('button', { name: 'Add an output' }).click()
    await page.getByLabel('Where results go').selectOption('webhook')
    await page.getByLabel('Address').fill('http://169.254.169.254/latest')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('is not on the public internet').waitFor()
    await page.getByLabel('Address').fill(`${receiver.url}/done`)
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('This secret is shown once').waitFor()
    await page.getByText(/^whsec_/).waitFor()
    await page.getByRole('dialog').last().getByRole('button', { name: 'Close' }).click()
    await page.getByRole('list', { name: 'Outputs' }).getByText(`${receiver.url}/done`).waitFor()
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByText('The sample was sent.').waitFor()
    await page.getByRole('button', { name: 'Change', exact: true }).click()
    expect(await page.getByLabel('Signing secret').inputValue()).toBe('***')
    await page.getByLabel('Sent').selectOption('success')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('when it succeeded').waitFor()

    receiver.next({ status: 500, body: 'not today' })
    const { runId } = await place.api.jobs.run.mutate({ id: 'told' })
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('The receiver answered 500. It said: not today').waitFor()
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/run-outputs.png` })
    await page.getByRole('button', { name: 'Try now' }).click()
    await page.getByText('Sent.', { exact: true }).waitFor()
    expect(receiver.received).toHaveLength(3)
    if (process.env.SCREENSHOTS) {
      await page.goto(`${place.url}/jobs?job=${job.id}`)
      await page.getByText('What was sent lately').click()
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/job-outputs.png` })
    }
    // The refused address is the one complaint that a browser writes down by itself.
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([])
  })
})
