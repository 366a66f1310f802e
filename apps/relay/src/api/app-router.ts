import { agentsRouter } from './agents-router.ts'
import { approvalsRouter } from './approvals-router.ts'
import { authRouter } from './auth-router.ts'
import { dispatchesRouter } from './dispatches-router.ts'
import { eventsRouter } from './events-router.ts'
import { exportRouter } from './export-router.ts'
import { githubRouter } from './github-router.ts'
import { importRouter } from './import-router.ts'
import { jobsRouter } from './jobs-router.ts'
import { machinesRouter } from './machines-router.ts'
import { organizationRouter } from './organization-router.ts'
import { outputsRouter } from './outputs-router.ts'
import { runnerRouter } from './runner-router.ts'
import { runsRouter } from './runs-router.ts'
import { secretsRouter } from './secrets-router.ts'
import { sessionsRouter } from './sessions-router.ts'
import { skillsRouter } from './skills-router.ts'
import { deliveriesRouter, liveRouter, overviewRouter, tokensRouter, whyRouter } from './small-routers.ts'
import { stagesRouter } from './stages-router.ts'
import { router } from './trpc.ts'
import { usageRouter } from './usage-router.ts'

/** Everything that can be asked of the relay over tRPC. Only its type leaves this app. */
export const appRouter = router({
  auth: authRouter,
  overview: overviewRouter,
  live: liveRouter,
  machines: machinesRouter,
  agents: agentsRouter,
  jobs: jobsRouter,
  runs: runsRouter,
  approvals: approvalsRouter,
  deliveries: deliveriesRouter,
  events: eventsRouter,
  outputs: outputsRouter,
  dispatches: dispatchesRouter,
  integrations: router({ github: githubRouter }),
  tokens: tokensRouter,
  why: whyRouter,
  organization: organizationRouter,
  stages: stagesRouter,
  usage: usageRouter,
  sessions: sessionsRouter,
  secrets: secretsRouter,
  skills: skillsRouter,
  export: exportRouter,
  import: importRouter,
  runner: runnerRouter,
})

export type AppRouter = typeof appRouter
