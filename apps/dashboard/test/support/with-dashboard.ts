import { type LaunchedBrowser, launchBrowser } from '@baton/testkit/browser'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type OpenPage, openPage } from './open-page.ts'
import { type Place, startPlace } from './start-place.ts'

type PageOptions = Parameters<typeof openPage>[1]

/**
 * A place with its dashboard and a browser for the tests of this file. `prepare` is called when both are there. Without
 * a Chromium the tests are skipped, and say so.
 */
export function withDashboard({
  env = {},
  prepare,
}: {
  env?: Record<string, string>
  prepare?: (place: Place) => Promise<unknown>
} = {}) {
  const place = {} as Place
  let started: Place | undefined
  let launched: LaunchedBrowser | null = null
  beforeAll(async () => {
    launched = await launchBrowser()
    if (launched === null) return
    started = await startPlace(env)
    Object.assign(place, started)
    await prepare?.(place)
  }, 120_000)
  afterAll(async () => {
    await started?.[Symbol.asyncDispose]()
    await launched?.[Symbol.asyncDispose]()
  })
  beforeEach(({ skip }) => {
    if (launched === null) skip('No Chromium was found. Set CHROMIUM_PATH.')
  })

  /** A page of somebody who is not signed in, at no address yet. */
  const open = async (options?: PageOptions): Promise<OpenPage> => {
    if (launched === null) throw new Error('The browser is there while tests run.')
    return await openPage(launched.browser, options)
  }
  return {
    /** Filled in before `prepare`. */
    place,
    open,
    /** A page of the administrator, on the overview. */
    openSignedIn: async (options?: PageOptions): Promise<OpenPage> => {
      const opened = await open(options)
      await opened.page.goto(await place.signInLink())
      await opened.page.getByRole('heading', { name: 'Overview' }).waitFor()
      return opened
    },
  }
}
