import type { StatusWord } from '@baton/protocol'
import { STATUS_SHAPES } from '@baton/protocol'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { OverviewPage } from './overview/overview-page.tsx'
import { ErrorPage, MissingPage } from './shell/error-page.tsx'
import { Shell } from './shell/shell.tsx'

const root = createRootRoute({ component: Shell, errorComponent: ErrorPage, notFoundComponent: MissingPage })

const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage })

export type RunsSearch = { status?: StatusWord; machine?: string; job?: string; agent?: string }
const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (search: Record<string, unknown>): RunsSearch => ({
    ...(isStatusWord(search.status) && { status: search.status }),
    ...textOf(search, 'machine'),
    ...textOf(search, 'job'),
    ...textOf(search, 'agent'),
  }),
  component: lazyRouteComponent(() => import('./runs/runs-page.tsx'), 'RunsPage'),
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  component: lazyRouteComponent(() => import('./runs/run-page.tsx'), 'RunPage'),
})

const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  validateSearch: (search: Record<string, unknown>): { job?: string } => textOf(search, 'job'),
  component: lazyRouteComponent(() => import('./jobs/jobs-page.tsx'), 'JobsPage'),
})

const machines = createRoute({
  getParentRoute: () => root,
  path: '/machines',
  component: lazyRouteComponent(() => import('./machines/machines-page.tsx'), 'MachinesPage'),
})

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: (search: Record<string, unknown>): { event?: string; job?: string } => ({
    ...textOf(search, 'event'),
    ...textOf(search, 'job'),
  }),
  component: lazyRouteComponent(() => import('./events/events-page.tsx'), 'EventsPage'),
})

const github = createRoute({
  getParentRoute: () => root,
  path: '/integrations/github',
  component: lazyRouteComponent(() => import('./github/github-page.tsx'), 'GithubPage'),
})

const routeTree = root.addChildren([overview, runs, run, jobs, machines, events, github])

export function createAppRouter() {
  return createRouter({ routeTree, defaultPreload: 'intent', scrollRestoration: true })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}

function isStatusWord(value: unknown): value is StatusWord {
  return typeof value === 'string' && Object.hasOwn(STATUS_SHAPES, value)
}

function textOf<K extends string>(search: Record<string, unknown>, key: K): { [name in K]?: string } {
  const value = search[key]
  return (typeof value === 'string' && value !== '' ? { [key]: value } : {}) as { [name in K]?: string }
}
