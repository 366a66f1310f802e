import { eventually } from '@baton/testkit'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import { findBarriers } from './support/find-barriers.ts'
import { insertUsage } from './support/insert-usage.ts'
import type { OpenPage } from './support/open-page.ts'
import { shoot } from './support/shoot.ts'
import { tooWide } from './support/too-wide.ts'
import { withDashboard } from './support/with-dashboard.ts'

describe('jobs, events, agents and usage in a browser', { timeout: 60_000 }, () => {
  let opened: OpenPage
  let page: Page
  const { place, openSignedIn } = withDashboard({
    async prepare({ runner }) {
      await runner.start()
      opened = await openSignedIn({ timezoneId: 'Europe/Berlin' })
      page = opened.page
    },
  })
  afterAll(() => opened?.[Symbol.asyncDispose]())

  test('a cron job is made, shows when it fires next, and is changed with problems at their fields', async () => {
    await page.goto(`${place.url}/jobs/new`)
    await page.getByLabel('Name', { exact: true }).fill('Morning report')
    await page.getByLabel('Prompt').fill('@demo ok\nReport to {{ payload.name | default: "all" }}')
    await page.getByRole('combobox', { name: 'When', exact: true }).selectOption('cron')
    await page.getByLabel('Cron expression').fill('61 9 * * *')
    await page
      .getByText(/minute/i)
      .first()
      .waitFor()
    await page.getByLabel('Cron expression').fill('0 9 * * 1-5')
    await page.getByText(/At 09:00.*Monday through Friday.*Europe\/Berlin/).waitFor()
    expect(await page.getByRole('list', { name: 'Next times' }).getByRole('listitem').count()).toBe(5)
    await shoot(page, 'job-new')
    await page.getByRole('button', { name: 'Create the job' }).click()
    await page.getByRole('link', { name: 'Go to the job' }).click()
    await page.getByRole('heading', { name: 'Morning report' }).waitFor()
    await page.getByText(/At 09:00.*Monday through Friday/).waitFor()

    await page.getByRole('switch', { name: 'Morning report is enabled' }).click()
    await page.getByText('Morning report is disabled.').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('switch', { name: 'Morning report is enabled', checked: true }).waitFor()

    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByText('Rehearse it with an event').click()
    await page.getByText('Report to all').last().waitFor()
    await page
      .getByRole('textbox', { name: 'Prompt', exact: true })
      .fill('@demo ok\nTell {{ payload.name | default: "all" }}')
    await page.getByText('Tell all').last().waitFor()
    await page.getByText('Limits', { exact: true }).click()
    await page.getByRole('spinbutton', { name: 'Ended after, in all', exact: true }).fill('0.5')
    await page.getByLabel('Unit of Ended after, in all').selectOption('seconds')
    await page.getByRole('spinbutton', { name: 'Ended after, in all', exact: true }).fill('0.5')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('alert').filter({ hasText: 'expected number to be >=1000' }).waitFor()
    await page.getByRole('link', { name: 'Usage' }).first().click()
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor()
    await page.getByRole('button', { name: 'Stay' }).click()
    await page.getByRole('spinbutton', { name: 'Ended after, in all', exact: true }).fill('90')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Ended after 1 min 30 s in all.').waitFor()
    const job = await place.api.jobs.get.query({ id: 'morning-report' })
    expect([job.limits.wallMs, job.prompt.split('\n')[1]]).toEqual([
      90_000,
      'Tell {{ payload.name | default: "all" }}',
    ])
  })

  test('what a webhook brought is read, changed and replayed, and what was refused is said', async () => {
    const { job, secrets } = await place.api.jobs.create.mutate({
      key: 'greet',
      agent: 'demo',
      prompt: '@demo ok\nGreet {{ payload.name }}',
      triggers: [
        {
          kind: 'webhook',
          scheme: 'baton',
          filters: [{ field: 'payload.action', op: 'eq', value: 'opened' }],
        },
      ],
    })
    await place.api.events.sendSample.mutate({ jobId: job.id, body: '{"action":"closed","name":"Ada"}' })
    await fetch(secrets[0]?.url ?? '', { method: 'POST', body: '{}' })
    await page.goto(`${place.url}/jobs/greet`)
    await page.getByText(/request to/).waitFor()
    await page.getByText('What it would have done lately').click()
    await page.getByText('It would take 0 of 1 event.').waitFor()
    await shoot(page, 'job')

    await page.goto(`${place.url}/events`)
    await page.getByLabel('Text in the body or the headers').fill('Ada')
    await page.waitForURL(/text=Ada/)
    await page.getByRole('combobox', { name: 'Source' }).selectOption('webhook')
    await page.getByRole('list', { name: 'Events' }).getByRole('link').first().click()
    await page
      .getByRole('region', { name: 'Why it started nothing' })
      .getByText(/payload.action/)
      .first()
      .waitFor()
    await shoot(page, 'event')
    await page.getByRole('button', { name: 'Edit and replay' }).click()
    await page.getByLabel('Body').fill('{"action":"opened","name":"Grace"}')
    await page.getByRole('button', { name: 'Replay it' }).click()
    await page
      .getByRole('list', { name: 'Chain of causes' })
      .getByText(/replay of event/)
      .waitFor()
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await page.getByText('Greet Grace').waitFor()
    await page.getByText('succeeded').waitFor()
    await page.getByText('How it was started').click()
    await page.getByText('exit code 0').last().waitFor()
    await shoot(page, 'run')
  })

  test('a run becomes a job that is tried before it is saved, with an output whose problems stand at their fields', async () => {
    const runId = await place.startRun('@demo ok\nSay {{ payload.word }}')
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByText('succeeded').waitFor()
    await page.getByRole('button', { name: 'More', exact: true }).click()
    await page.getByRole('button', { name: 'Make a job of it…' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Say it')
    await page.getByText('Try the prompt before it is saved').click()
    await page.getByText('payload.word', { exact: true }).last().waitFor()
    await page.getByLabel('Payload (JSON)').fill('{"word":"hello"}')
    await page.getByText('Say hello').waitFor()
    await page.getByRole('button', { name: 'Add an output' }).click()
    await page.getByLabel('To', { exact: true }).fill('nobody')
    await page.getByRole('button', { name: 'Create the job' }).click()
    await page.getByRole('alert').filter({ hasText: 'must be an address' }).waitFor()
    await page.getByLabel('Where results go').selectOption('stdout')
    await page.getByRole('button', { name: 'Create the job' }).click()
    await page.getByRole('link', { name: 'Go to the job' }).click()
    await page.getByRole('list', { name: 'Outputs' }).getByText('stdout').waitFor()
  })

  test('what waits for a machine that is away is given to another agent on its page', async () => {
    const { machine } = await place.api.machines.create.mutate({ name: 'away' })
    const made = { key: 'sleeper', machineId: machine.id, runtime: 'command', command: 'demo' } as const
    await place.api.agents.create.mutate(made)
    const runId = await place.startRun('@demo ok', 'sleeper')
    await page.goto(`${place.url}/runs/${runId}`)
    await page.getByRole('region', { name: 'Why it waits' }).waitFor()
    await page.getByRole('button', { name: 'Run elsewhere…' }).click()
    await page.getByRole('combobox', { name: /^Agent/ }).selectOption('demo')
    await page.getByRole('button', { name: 'Give it to that agent' }).click()
    await page.getByText('succeeded').waitFor()
    expect((await place.api.runs.get.query({ id: runId })).agent.key).toBe('demo')
  })

  test('an agent gets settings, a secret and a skill, and is paused and taken back', async () => {
    await page.goto(`${place.url}/agents/demo/edit`)
    await page.getByLabel('Instructions (Markdown)').fill('# House rules\n\n- Be kind.')
    await page.getByLabel('It may').selectOption('read_only')
    await page.getByText('Budget', { exact: true }).click()
    await page.getByLabel('Tokens for a day').fill('500000')
    await shoot(page, 'agent-edit')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('- Be kind.').waitFor()
    await page.getByText('500,000 tokens for a day').waitFor()
    await page.getByRole('button', { name: 'Add a secret' }).click()
    await page.getByLabel('Name').fill('PATH')
    await page.getByLabel('Value').fill('s3cret-value')
    await page.getByRole('button', { name: 'Store it' }).click()
    await page.getByText('this name decides which code runs').waitFor()
    await page.getByLabel('Name').fill('DEPLOY_TOKEN')
    await page.getByRole('button', { name: 'Store it' }).click()
    await page.getByRole('list', { name: 'Secrets' }).getByText('DEPLOY_TOKEN').waitFor()
    expect(await page.content()).not.toContain('s3cret-value')
    await page.getByRole('button', { name: 'Add a skill' }).click()
    await page.getByLabel('Name').fill('releases')
    await page.getByLabel('Text (Markdown)').fill('How a release is made here.\n\n1. Run the tests.')
    await page.getByRole('button', { name: 'Save the skill' }).click()
    await page.getByRole('list', { name: 'Skills' }).getByText('releases').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('demo takes nothing new.').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await eventually(async () => {
      const agent = await place.api.agents.get.query({ id: 'demo' })
      expect([agent.permissionMode, agent.secretNames, agent.state]).toEqual([
        'read_only',
        ['DEPLOY_TOKEN'],
        'idle',
      ])
    })
    await shoot(page, 'agent')
  })

  test('usage is shown day by day, by model and against the budget of the day', async () => {
    await insertUsage(place)
    await page.goto(`${place.url}/usage`)
    await page.getByText('1,260,000 tokens').waitFor()
    await page.getByText('Tokens today: 42,000 of 500,000').waitFor()
    await page.getByText('As a table').click()
    expect(await page.getByRole('table', { name: 'Tokens a day' }).getByRole('row').count()).toBe(31)
    await page.getByRole('combobox', { name: 'By', exact: true }).selectOption('model')
    await page.getByRole('table', { name: 'Usage by model' }).getByText('sonnet').waitFor()
    await page.getByLabel('Shown').selectOption('cost')
    await page.waitForURL(/measure=cost/)
    await page.getByText('highest: $0.60').waitFor()
    await page.goto(`${place.url}/agents/demo`)
    await page.getByText('1,260,000 tokens in').waitFor()
    await shoot(page, 'agent-usage')
  })

  test('a machine says on its page what its owner allows there, how full it is, and who works on it', async () => {
    await page.goto(`${place.url}/machines`)
    await page.getByRole('list', { name: 'Machines' }).getByRole('link', { name: 'laptop' }).click()
    await page.getByRole('heading', { name: 'laptop' }).waitFor()
    const { policy, storage } = await place.api.machines.get.query({ id: 'laptop' })
    expect(policy?.permissionModes).toEqual(['edit'])
    await page.getByText(policy?.folders[0] ?? 'no folder', { exact: true }).waitFor()
    expect(storage?.totalBytes).toBeGreaterThan(0)
    await page.getByText(/GiB free$/).waitFor()
    await page.getByText('No worktree of a run is kept.').waitFor()
    await page.getByRole('list', { name: 'Agents' }).getByRole('link', { name: 'demo' }).waitFor()
    await page.goto(`${place.url}/agents/demo/edit`)
    await page.getByLabel('It may').selectOption('full')
    await page.getByText(/Its machine would refuse every run/).waitFor()
    await page.getByLabel('It may').selectOption('edit')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('edit files in its workspace').waitFor()
  })

  test('anything is reached by its name from anywhere, and a page begins at its top and is found again where it was', async () => {
    for (const word of ['one', 'two', 'three']) await place.startRun(`@demo ok ${word}`)
    await page.setViewportSize({ width: 1280, height: 320 })
    await page.goto(`${place.url}/runs`)
    await page.locator('[data-row]').nth(2).waitFor()
    const top = () => page.evaluate(() => document.querySelector('main')?.scrollTop)
    await page.evaluate(() => document.querySelector('main')?.scrollTo(0, 100))
    await eventually(async () => expect(await top()).toBe(100))
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Page, job, agent, machine or id' }).fill('demo agent')
    expect(await findBarriers(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/agents\/demo$/)
    await eventually(async () => expect(await top()).toBe(0))
    await page.goBack()
    await page.waitForURL(/\/runs$/)
    await eventually(async () => expect(await top()).toBe(100))
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('no page has a serious barrier for people who cannot see or use a mouse, light or dark', async () => {
    const runs = await place.api.runs.list.query({ limit: 1 })
    const events = await place.api.events.list.query({ limit: 1 })
    const paths = {
      overview: '/',
      runs: '/runs',
      'run-page': `/runs/${runs.items[0]?.id}`,
      jobs: '/jobs',
      'job-page': '/jobs/greet',
      'job-form': '/jobs/new',
      'job-edit': '/jobs/greet/edit',
      events: '/events',
      'event-page': `/events/${events.items[0]?.id}`,
      agents: '/agents',
      'agent-page': '/agents/demo',
      'agent-form': '/agents/demo/edit',
      machines: '/machines',
      'machine-page': '/machines/laptop',
      usage: '/usage',
      github: '/integrations/github',
      tokens: '/tokens',
    }
    const found: Record<string, string[]> = {}
    const add = (name: string, what: string[]) => {
      if (what.length > 0) found[name] = what
    }
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(`${place.url}${path}`)
      await page.locator('h1').waitFor()
      await page.locator('[data-connection=live]').first().waitFor()
      await eventually(async () =>
        expect(
          await page
            .locator('main')
            .getByText(/^Loading /)
            .count(),
        ).toBe(0),
      )
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        add(`${name} ${colorScheme}`, await findBarriers(page))
      }
      await page.setViewportSize({ width: 390, height: 844 })
      add(`${name} narrow`, await tooWide(page))
      await page.setViewportSize({ width: 1280, height: 800 })
      if (['overview', 'runs', 'jobs', 'events', 'agents', 'machines', 'usage', 'job-edit'].includes(name))
        await shoot(page, name)
    }
    expect(found).toEqual({})
    expect(opened.problems.filter((problem) => !/\b400\b/.test(problem))).toEqual([])
  })
})
