import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { installAgentCli, startStandInModel } from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { expect, test } from 'vitest'
import { openHome } from './support/open-home.ts'
import { startDev } from './support/start-dev.ts'

type Example = { name: string; examples: object[] }
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as
  | Example[]
  | { default: Example[] }

test("GitHub's own push, signed as GitHub signs, makes the real Claude Code change a file", {
  timeout: 420_000,
}, async ({ skip }) => {
  const cli = await installAgentCli('claude')
  if ('missing' in cli) return skip(cli.missing)
  await using model = await startStandInModel()
  await using home = await openHome({
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'stand-in',
    PATH: [dirname(cli.path), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
  })
  const workspace = join(home.env.HOME ?? '', 'shop')
  await mkdir(workspace)
  await promisify(execFile)('git', ['init', '-q', workspace])
  await using dev = await startDev(home)
  expect((await dev.baton.agents.list()).map((agent) => agent.key)).toContain('claude')
  // A push was written by somebody else: the machine's owner and the job both have to trust it.
  const policyFile = join(home.env.BATON_HOME ?? '', 'config/profiles/default.policy.json')
  const policy = JSON.parse(await readFile(policyFile, 'utf8')) as { public: object }
  policy.public = { ...policy.public, trustedJobs: ['on-push'] }
  await writeFile(policyFile, JSON.stringify(policy))

  const push = pushPayload()
  const { secrets } = await dev.baton.jobs.create({
    key: 'on-push',
    agent: 'claude',
    workspace,
    prompt:
      'Write down who pushed.\n@write PUSHED.md <<< {{ payload.pusher.name }} pushed {{ payload.ref }}\n@say Written.',
    rules: { trust: 'member' },
    triggers: [{ kind: 'webhook', scheme: 'github' }],
  })
  const [hook] = secrets
  if (!hook) throw new Error('no webhook was made')
  const body = JSON.stringify(push)
  const signed = signRequest({
    scheme: 'github',
    secret: hook.secret,
    id: crypto.randomUUID(),
    timestampMs: Date.now(),
    body,
  })
  const answer = await fetch(hook.url, {
    method: 'POST',
    body,
    headers: { ...signed, 'content-type': 'application/json', 'x-github-event': 'push' },
  })
  expect(answer.status).toBe(202)
  const { deliveries } = (await answer.json()) as { deliveries: string[] }

  const { id } = await dev.baton.deliveries.get(deliveries[0] as string)
  const run = dev.baton.runs.open(id)
  const types = new Set<string>()
  for await (const event of run.events()) types.add(event.type)
  const view = await run.result()
  expect(view).toMatchObject({
    status: 'done',
    outcome: 'done',
    result: 'Written.',
    transcript: { complete: true },
  })
  expect(view.sessionId).toBeTruthy()
  expect(view.usage?.inputTokens).toBeGreaterThan(0)
  expect([...types]).toEqual(
    expect.arrayContaining(['started', 'session', 'tool_started', 'tool_finished', 'message', 'finished']),
  )
  expect(await readFile(join(workspace, 'PUSHED.md'), 'utf8')).toBe(
    `${push.pusher.name} pushed ${push.ref}\n`,
  )
  expect(
    model.requests().some((request) => request.prompts.some((prompt) => prompt.includes(push.ref))),
  ).toBe(true)
})

function pushPayload(): { ref: string; pusher: { name: string } } {
  const list = 'default' in examples ? examples.default : examples
  return list.find((one) => one.name === 'push')?.examples[0] as { ref: string; pusher: { name: string } }
}
