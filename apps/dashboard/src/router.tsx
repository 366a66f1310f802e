import type { UsageGroup } from '@baton/protocol'
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { readEventsSearch } from './events/events-search.ts'
import { OverviewPage } from './overview/overview-page.tsx'
import { readRunsSearch, textOf } from './runs/runs-search.ts'
import { ErrorPage, MissingPage } from './shell/error-page.tsx'
import { Shell } from './shell/shell.tsx'

const root = createRootRoute({ component: Shell, errorComponent: ErrorPage, notFoundComponent: MissingPage })

const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage })

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: readRunsSearch,
  component: lazyRouteComponent(() => import('./runs/runs-page.tsx'), 'RunsPage'),
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: ({ tab }: Record<string, unknown>): { tab?: 'changes' | 'facts' } =>
    tab === 'changes' || tab === 'facts' ? { tab } : {},
  component: lazyRouteComponent(() => import('./runs/run-page.tsx'), 'RunPage'),
})

const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  validateSearch: (search: Record<string, unknown>): { job?: string; text?: string } => ({
    ...textOf(search, 'job'),
    ...textOf(search, 'text'),
  }),
  // Links from before jobs had pages of their own.
  beforeLoad: ({ search: { job } }) => {
    if (job !== undefined) throw redirect({ to: '/jobs/$job', params: { job }, replace: true })
  },
  component: lazyRouteComponent(() => import('./jobs/jobs-page.tsx'), 'JobsPage'),
})

const newJob = createRoute({
  getParentRoute: () => root,
  path: '/jobs/new',
  // A run that went well can become a job.
  validateSearch: (search: Record<string, unknown>): { run?: string } => textOf(search, 'run'),
  component: lazyRouteComponent(() => import('./jobs/new-job-page.tsx'), 'NewJobPage'),
})

const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$job',
  component: lazyRouteComponent(() => import('./jobs/job-page.tsx'), 'JobPage'),
})

const editJob = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$job/edit',
  component: lazyRouteComponent(() => import('./jobs/edit-job-page.tsx'), 'EditJobPage'),
})

const agents = createRoute({
  getParentRoute: () => root,
  path: '/agents',
  validateSearch: (search: Record<string, unknown>): { text?: string } => textOf(search, 'text'),
  component: lazyRouteComponent(() => import('./agents/agents-page.tsx'), 'AgentsPage'),
})

const agent = createRoute({
  getParentRoute: () => root,
  path: '/agents/$agent',
  component: lazyRouteComponent(() => import('./agents/agent-page.tsx'), 'AgentPage'),
})

const editAgent = createRoute({
  getParentRoute: () => root,
  path: '/agents/$agent/edit',
  component: lazyRouteComponent(() => import('./agents/edit-agent-page.tsx'), 'EditAgentPage'),
})

export type UsageSearch = { days?: number; by?: UsageGroup; measure?: 'tokens' | 'cost' }
const usage = createRoute({
  getParentRoute: () => root,
  path: '/usage',
  validateSearch: ({ days, by, measure }: Record<string, unknown>): UsageSearch => ({
    ...(typeof days === 'number' && days >= 1 && days <= 366 && { days: Math.floor(days) }),
    ...((by === 'agent' || by === 'job' || by === 'machine' || by === 'model') && { by }),
    ...((measure === 'tokens' || measure === 'cost') && { measure }),
  }),
  component: lazyRouteComponent(() => import('./usage/usage-page.tsx'), 'UsagePage'),
})

const machines = createRoute({
  getParentRoute: () => root,
  path: '/machines',
  component: lazyRouteComponent(() => import('./machines/machines-page.tsx'), 'MachinesPage'),
})

const machine = createRoute({
  getParentRoute: () => root,
  path: '/machines/$machine',
  component: lazyRouteComponent(() => import('./machines/machine-page.tsx'), 'MachinePage'),
})

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: readEventsSearch,
  beforeLoad: ({ search: { event } }) => {
    if (event !== undefined) throw redirect({ to: '/events/$event', params: { event }, replace: true })
  },
  component: lazyRouteComponent(() => import('./events/events-page.tsx'), 'EventsPage'),
})

const event = createRoute({
  getParentRoute: () => root,
  path: '/events/$event',
  component: lazyRouteComponent(() => import('./events/event-page.tsx'), 'EventPage'),
})

const github = createRoute({
  getParentRoute: () => root,
  path: '/integrations/github',
  component: lazyRouteComponent(() => import('./github/github-page.tsx'), 'GithubPage'),
})

const tokens = createRoute({
  getParentRoute: () => root,
  path: '/tokens',
  component: lazyRouteComponent(() => import('./tokens/tokens-page.tsx'), 'TokensPage'),
})

const apiDocs = createRoute({
  getParentRoute: () => root,
  path: '/docs/api',
  component: lazyRouteComponent(() => import('./api-docs/api-docs-page.tsx'), 'ApiDocsPage'),
})

const routeTree = root.addChildren([
  overview,
  tokens,
  apiDocs,
  runs,
  run,
  jobs,
  machines,
  machine,
  events,
  github,
  newJob,
  job,
  editJob,
  agents,
  agent,
  editAgent,
  usage,
  event,
])

export function createAppRouter() {
  return createRouter({
    routeTree,
    defaultPreload: 'intent',
    // The page scrolls inside its frame: a new one begins at its top, and going back finds the old place.
    scrollRestoration: true,
    scrollToTopSelectors: ['#main'],
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
