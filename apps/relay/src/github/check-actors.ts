import type { GithubTriggerConfig } from '@baton/protocol'
import type { GithubCall } from './github-api.ts'
import type { KnownApp } from './known-apps.ts'
import type { Actor, GithubSubject } from './read-event.ts'
import { isMissing } from './read-failure.ts'

/** A sentence that says why these people may not fire a trigger; null: they may. Throws when GitHub cannot be asked. */
export async function refusalOfActors(
  call: GithubCall,
  subject: GithubSubject,
  config: GithubTriggerConfig,
): Promise<string | null> {
  for (const actor of subject.actors) {
    const refusal = actor.isBot
      ? await refusalOfBot(call, actor, subject, config)
      : await refusalOfPerson(call, actor, subject)
    if (refusal !== null) return refusal
  }
  return null
}

/** The App itself made this event: what Baton does on GitHub never starts anything. */
export function isOwn(subject: GithubSubject, app: KnownApp): boolean {
  const sender = subject.actors[0]
  return (
    (sender?.isBot === true && sender.login.toLowerCase() === `${app.slug.toLowerCase()}[bot]`) ||
    subject.viaApps.includes(app.app_id) ||
    subject.texts.some(({ text }) => text.includes('<!-- baton:'))
  )
}

/**
 * By the numeric id, which stays when a login is given to somebody else: the id's login of this moment is asked about, and
 * the answer must name the same id. `author_association` in the event says nothing about permission and is not read.
 */
async function refusalOfPerson(
  call: GithubCall,
  actor: Actor,
  subject: GithubSubject,
): Promise<string | null> {
  const user = await orNull(() =>
    call<{ id: number; login: string }>('GET /user/{account_id}', { account_id: actor.id }),
  )
  if (!user || user.id !== actor.id) return `GitHub knows no user ${actor.login} with the id ${actor.id}`
  const [owner = '', repo = ''] = subject.repository.fullName.split('/')
  const answer = await orNull(() =>
    call<{ permission: string; user: { id: number } | null }>(
      'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
      { owner, repo, username: user.login },
    ),
  )
  const isAllowed =
    answer?.user?.id === actor.id && (answer.permission === 'admin' || answer.permission === 'write')
  return isAllowed ? null : `${user.login} has no write permission in ${subject.repository.fullName}`
}

/** A name that ends in [bot] proves nothing: its App must be on the trigger's list, and the name be that App's own. */
async function refusalOfBot(
  call: GithubCall,
  actor: Actor,
  subject: GithubSubject,
  config: GithubTriggerConfig,
): Promise<string | null> {
  const refused = `${actor.login} is a bot that this trigger does not list`
  if (config.bots.length === 0 || !/^[\w-]+\[bot\]$/.test(actor.login)) return refused
  const slug = actor.login.slice(0, -'[bot]'.length)
  const app = await orNull(() =>
    call<{ id: number; slug: string }>('GET /apps/{app_slug}', { app_slug: slug }),
  )
  const user = await orNull(() => call<{ id: number }>('GET /users/{username}', { username: actor.login }))
  if (!app || app.slug !== slug || user?.id !== actor.id) return refused
  const isListed = config.bots.some(
    (bot) =>
      bot.appId === app.id &&
      (bot.installationId === undefined || bot.installationId === subject.installationId),
  )
  return isListed ? null : refused
}

async function orNull<T>(ask: () => Promise<{ data: T }>): Promise<T | null> {
  try {
    return (await ask()).data
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
