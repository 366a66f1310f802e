import { z } from 'zod'
import { retentionSchema } from '../retention.ts'
import { TOKEN_SCOPES } from '../token-scopes.ts'
import {
  type MeView,
  type OrganizationView,
  type OverviewView,
  STAGES,
  type StagesView,
  type TokenView,
  USAGE_GROUPS,
  type UsageView,
  type WhyView,
} from '../views.ts'
import { shownId, time } from './ids.ts'
import { agentView, machineView } from './machines.ts'
import { dispatchView } from './outputs.ts'
import { approvalView, runSummary } from './runs.ts'
import { type Same, same } from './same.ts'
import { shown } from './shown.ts'

export const meView = z
  .object({
    user: z.object({ id: shownId('user'), name: z.string(), email: z.string().nullable() }),
    organization: z.object({ id: shownId('organization'), slug: z.string(), name: z.string() }),
    role: z.enum(['owner', 'admin', 'member', 'viewer']),
    scopes: z.array(z.enum(TOKEN_SCOPES)),
    relayVersion: z.string(),
  })
  .meta({ id: 'Me' })
same<Same<z.infer<typeof meView>, MeView>>()

export const tokenView = z
  .object({
    id: shownId('token'),
    name: z.string(),
    scopes: z.array(z.enum(TOKEN_SCOPES)),
    createdAt: time,
    lastUsedAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Token' })
same<Same<z.infer<typeof tokenView>, TokenView>>()

export const organizationView = z
  .object({
    id: shownId('organization'),
    slug: z.string(),
    name: z.string(),
    retention: shown(retentionSchema),
  })
  .meta({ id: 'Organization' })
same<Same<z.infer<typeof organizationView>, OrganizationView>>()

export const overviewView = z
  .object({
    machines: z.array(machineView),
    agents: z.array(agentView),
    running: z.array(runSummary),
    recent: z.array(runSummary),
    jobs: z.number(),
    openApprovals: z.array(approvalView),
    troubledDispatches: z.array(dispatchView),
  })
  .meta({ id: 'Overview' })
same<Same<z.infer<typeof overviewView>, OverviewView>>()

export const stagesView = z
  .object({
    machine: z.object({ id: shownId('machine'), name: z.string() }).nullable(),
    job: z.object({ id: shownId('job'), key: z.string() }).nullable(),
    since: time,
    runs: z.number(),
    isCapped: z.boolean(),
    stages: z.array(
      z.object({
        stage: z.enum(STAGES),
        count: z.number(),
        p50: z.number().nullable(),
        p95: z.number().nullable(),
        p99: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'Stages' })
same<Same<z.infer<typeof stagesView>, StagesView>>()

export const whyView = z
  .object({
    id: z.string(),
    sentence: z.string(),
    conditions: z.array(
      z.object({
        code: z.string(),
        what: z.string(),
        since: time.nullable(),
        unblock: z.string(),
        command: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'Why' })
same<Same<z.infer<typeof whyView>, WhyView>>()

const totals = {
  runs: z.number(),
  runsWithoutCost: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedTokens: z.number(),
  costUsd: z.number(),
}
export const usageView = z
  .object({
    by: z.enum(USAGE_GROUPS),
    since: z.string(),
    until: z.string(),
    rows: z.array(z.object({ id: z.string().nullable(), name: z.string().nullable(), ...totals })),
    total: z.object(totals),
  })
  .meta({ id: 'Usage' })
same<Same<z.infer<typeof usageView>, UsageView>>()
