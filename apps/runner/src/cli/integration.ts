import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { BatonError, type GithubAppView } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { isLoopback } from './loopback.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

type SetupOptions = {
  url?: string
  owner?: string
  name?: string
  wait?: boolean
  appId?: string
  privateKeyFile?: string
  webhookSecretFile?: string
}

const LOOK_EVERY_MS = 2_000

export async function setUpGithub(session: Session, _: string[], options: SetupOptions): Promise<void> {
  const baton = await session.baton()
  const webUrl = options.url ? { webUrl: options.url } : {}
  if (options.appId !== undefined) {
    const app = await baton.github.register({
      ...webUrl,
      appId: readNumber(options.appId),
      privateKey: await readNeeded('--private-key-file', options.privateKeyFile),
      webhookSecret: (await readNeeded('--webhook-secret-file', options.webhookSecretFile)).trim(),
    })
    return session.print(app, () => connectedText(app))
  }
  const setup = await baton.github.beginSetup({
    ...webUrl,
    ...(options.owner ? { owner: options.owner } : {}),
    ...(options.name ? { name: options.name } : {}),
  })
  if (options.wait === false || session.json) return session.print(setup, () => setup.url)
  if (isLoopback(setup.url))
    session.note(
      `${session.err('yellow', '!')} ${new URL(setup.url).origin} is this computer alone: GitHub can send nothing there. Give the relay a public address first (BATON_PUBLIC_URL, docs/hosting.md).\n`,
    )
  session.note(
    `Open this page in a browser that is signed in to GitHub:\n\n  ${setup.url}\n\nWaiting for up to an hour until the App is connected. Ctrl-C waits no longer; the page stays good.`,
  )
  const app = await untilConnected(session, setup.id, setup.expiresAt)
  session.print(app, () => connectedText(app))
}

async function untilConnected(session: Session, id: string, expiresAt: number): Promise<GithubAppView> {
  const baton = await session.baton()
  for (;;) {
    const { app } = await baton.github.setup(id)
    if (app) return app
    if (Date.now() > expiresAt)
      throw new BatonError('timeout', 'The set-up was not finished within an hour. Begin again.')
    await wait(LOOK_EVERY_MS)
  }
}

const connectedText = (app: GithubAppView) =>
  `${printable(app.name)} is connected. Choose its repositories: ${app.installUrl}`

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new BatonError('bad_input', `--app-id ${text}: give the number of the App.`)
  return Number(text)
}

async function readNeeded(flag: string, file: string | undefined): Promise<string> {
  if (file === undefined) throw new BatonError('bad_input', `With --app-id, ${flag} is needed, too.`)
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new BatonError('bad_input', `${flag} ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

export async function listGithub(session: Session): Promise<void> {
  const baton = await session.baton()
  const apps = await baton.github.list()
  session.print({ items: apps }, () =>
    table(
      ['app', 'on', 'last delivery', 'in a day', 'waiting', 'missed'],
      apps.map((app) => [
        printable(app.slug),
        new URL(app.webUrl).host,
        ago(app.lastDeliveryAt),
        String(app.deliveries.day),
        String(app.deliveries.waiting),
        missedWord(app),
      ]),
      session.out,
    ),
  )
  if (apps.length === 0) session.note('No App yet. Connect one: baton integration github setup')
}

function missedWord({ reconciliation }: GithubAppView): string {
  if (reconciliation === null) return 'not looked yet'
  return reconciliation.error === null ? String(reconciliation.missing) : 'could not look'
}

/** The App that is named, or the only one. */
async function chooseApp(session: Session, name: string | undefined): Promise<GithubAppView> {
  const apps = await (await session.baton()).github.list()
  const named = apps.filter(
    (app) => name === undefined || [app.id, app.slug, String(app.appId)].includes(name),
  )
  const [only] = named
  if (only && named.length === 1) return only
  if (apps.length === 0)
    throw new BatonError('not_found', 'No App is connected: baton integration github setup')
  const known = apps.map((app) => app.slug).join(', ')
  throw name === undefined
    ? new BatonError('bad_input', `Say which App: ${known}.`)
    : new BatonError('not_found', `There is no App "${name}". There are: ${known}.`)
}

export async function listRepositories(session: Session, [name]: string[]): Promise<void> {
  const baton = await session.baton()
  const app = await chooseApp(session, name)
  const installations = await Promise.all(
    (await baton.github.installations(app.id)).map(async (installation) => ({
      ...installation,
      repositories: installation.suspended ? [] : await allRepositories(session, app.id, installation.id),
    })),
  )
  session.print({ items: installations }, () =>
    table(
      ['account', 'installation', 'repository', 'default branch'],
      installations.flatMap((one) =>
        one.repositories.map((repository) => [
          printable(one.account),
          String(one.id),
          printable(repository.fullName),
          printable(repository.defaultBranch),
        ]),
      ),
      session.out,
    ),
  )
  if (installations.length === 0) session.note(`It is installed nowhere yet: ${app.installUrl}`)
}

async function allRepositories(session: Session, id: string, installationId: number) {
  const baton = await session.baton()
  const items = []
  for (let page: number | null = 1; page !== null; ) {
    const part: Awaited<ReturnType<typeof baton.github.repositories>> = await baton.github.repositories({
      id,
      installationId,
      page,
    })
    items.push(...part.items)
    page = part.nextPage
  }
  return items
}

export async function examineGithub(session: Session, [name]: string[]): Promise<number> {
  const baton = await session.baton()
  const app = await chooseApp(session, name)
  const checks = await baton.github.doctor(app.id)
  const isWell = checks.every((check) => check.ok)
  session.print({ ok: isWell, app: app.slug, checks }, () =>
    checks
      .map((check) => {
        const mark = check.ok ? session.out('green', '✓') : session.out('red', '✗')
        return `${mark} ${check.name}: ${printable(check.what)}${check.unblock ? `\n    ${printable(check.unblock)}` : ''}`
      })
      .join('\n'),
  )
  return isWell ? 0 : 1
}

export async function redeliverGithub(session: Session, [name]: string[]): Promise<void> {
  const baton = await session.baton()
  const app = await baton.github.redeliver((await chooseApp(session, name)).id)
  const { reconciliation } = app
  session.print(app, () =>
    reconciliation === null || reconciliation.missing === 0
      ? `Nothing is missing of the ${reconciliation?.listed ?? 0} deliveries that GitHub lists.`
      : `${reconciliation.missing} were missing; GitHub was asked to send ${reconciliation.redelivered} again.`,
  )
}

export async function removeGithub(session: Session, [name]: string[]): Promise<void> {
  const baton = await session.baton()
  const app = await chooseApp(session, name)
  await confirm(
    session,
    `Remove ${app.slug}? Its triggers fire nothing any more and its keys are deleted here.`,
  )
  const removed = await baton.github.remove(app.id)
  session.print(removed, () => `${app.slug} is removed. Delete it on GitHub, too: ${removed.settingsUrl}`)
}
