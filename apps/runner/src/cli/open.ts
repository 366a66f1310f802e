import { type IdKind, kindOfId } from '@baton/protocol'
import type { Session } from './session.ts'

/**
 * Opens a page of the dashboard. Without a thing it signs the browser in, with a one-time link. Where no browser opens the
 * address is printed, as with --print.
 */
export async function openPage(
  session: Session,
  [thing]: string[],
  { print }: { print?: boolean },
): Promise<void> {
  const url = thing ? await findPage(session, thing) : await makeSignInLink(session)
  if (print || !session.canAsk || !(await open(session, url))) session.print({ url }, () => url)
  else session.note(thing ? url : 'Opened the dashboard in the browser.')
}

async function open(session: Session, url: string): Promise<boolean> {
  const { openBrowser } = await import('../dev/open-browser.ts')
  const paths = await session.paths()
  return openBrowser(url, `${paths.stateFolder}/open.html`)
}

async function makeSignInLink(session: Session): Promise<string> {
  const baton = await session.baton()
  const { url } = await baton.createSignInLink()
  session.note('This link signs one browser in, once, within 10 minutes.')
  return url
}

/** The pages that the dashboard has; a run has one of its own. */
const PAGES: Partial<Record<IdKind, string>> = {
  agent: '/machines',
  machine: '/machines',
  job: '/jobs',
  event: '/events',
}

async function findPage(session: Session, thing: string): Promise<string> {
  const baton = await session.baton()
  const page = PAGES[kindOfId(thing) ?? 'run']
  if (page) return `${baton.url}${page}`
  const { id } = await baton.runs.get(thing)
  return baton.runs.open(id).url
}
