import { type IdKind, kindOfId } from '@baton/protocol'
import type { Session } from './session.ts'

/** Opens a page of the dashboard. Where there is no browser its address is printed, as with --print. */
export async function openPage(
  session: Session,
  [thing]: string[],
  { print }: { print?: boolean },
): Promise<void> {
  const baton = await session.baton()
  const url = `${baton.url}${thing ? await pageOf(session, thing) : '/'}`
  session.print({ url }, () => url)
  if (print || session.json || !session.canAsk) return
  const { openBrowser } = await import('../dev/open-browser.ts')
  const { url: signIn } = await baton.raw.auth.createLink.mutate()
  const paths = await session.paths()
  if (!(await openBrowser(thing ? url : signIn, `${paths.stateFolder}/open.html`)))
    session.note('No browser could be opened here.')
}

/** The pages that the dashboard has; a run has one of its own. */
const PAGES: Partial<Record<IdKind, string>> = {
  agent: '/machines',
  machine: '/machines',
  job: '/jobs',
  event: '/events',
}

async function pageOf(session: Session, thing: string): Promise<string> {
  const page = PAGES[kindOfId(thing) ?? 'run']
  if (page) return page
  const baton = await session.baton()
  const { id } = await baton.runs.get(thing)
  return `/runs/${id}`
}
