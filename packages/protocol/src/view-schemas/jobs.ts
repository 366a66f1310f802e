import { z } from 'zod'
import { approvalRules, budget } from '../agent-settings.ts'
import { triggerFilter } from '../filters.ts'
import { githubTriggerConfig } from '../github.ts'
import { jobRetentionSchema } from '../retention.ts'
import { runRules } from '../run-rules.ts'
import { runLimits } from '../runtimes.ts'
import { EVENT_SOURCES, IGNORED_REASONS, MACHINE_STATES } from '../states.ts'
import type { DraftRehearsalView, RehearsalView, SimulationView } from '../trials.ts'
import type { TriggerView } from '../trigger-views.ts'
import {
  fileChangeConfig,
  gitPushConfig,
  misfire,
  type NextFires,
  TRIGGER_KINDS,
  WEBHOOK_SCHEMES,
  watchState,
} from '../triggers.ts'
import type { JobView } from '../views.ts'
import { shownId, time } from './ids.ts'
import { statusWord } from './runs.ts'
import { type Same, same } from './same.ts'
import { shown, shownShape } from './shown.ts'

const facts = { id: shownId('trigger'), paused: z.boolean() }
const schedule = {
  misfire: shown(misfire),
  nextFireAt: time.nullable().meta({ description: 'null while it is paused or its job is off.' }),
}

export const triggerView = z
  .discriminatedUnion('kind', [
    z.object({ ...facts, kind: z.literal('manual') }),
    z.object({
      ...facts,
      kind: z.literal('webhook'),
      path: z.string(),
      url: z.string(),
      scheme: z.enum(WEBHOOK_SCHEMES),
      filters: z.array(shown(triggerFilter)),
      acceptUnsigned: z.boolean(),
      secrets: z.number().meta({ description: 'How many secrets are valid now.' }),
    }),
    z.object({ ...facts, ...schedule, kind: z.literal('cron'), expression: z.string(), zone: z.string() }),
    z.object({ ...facts, ...schedule, kind: z.literal('interval'), everyMs: z.number() }),
    z.object({
      ...facts,
      ...shownShape(fileChangeConfig.shape),
      kind: z.literal('file_change'),
      watch: z.object({ ...shownShape(watchState.shape), at: time }).nullable(),
    }),
    z.object({ ...facts, ...shownShape(gitPushConfig.shape), kind: z.literal('git_push') }),
    z.object({ ...facts, ...shownShape(githubTriggerConfig.shape), kind: z.literal('github') }),
  ])
  .meta({ id: 'Trigger' })
same<Same<z.infer<typeof triggerView>, TriggerView>>()

/** What of its agent's approvals a job changes; absent fields are the agent's. */
const approvalChanges = z.object({
  mode: z.exactOptional(shown(approvalRules.shape.mode)),
  expiresMs: z.exactOptional(shown(approvalRules.shape.expiresMs)),
  allow: z.exactOptional(shown(approvalRules.shape.allow)),
})

export const jobView = z
  .object({
    id: shownId('job'),
    key: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    agent: z.object({ id: shownId('agent'), key: z.string(), name: z.string() }),
    prompt: z.string(),
    workspace: z.string().nullable(),
    limits: shown(runLimits),
    rules: shown(runRules),
    approvals: approvalChanges,
    retention: shown(jobRetentionSchema),
    budget: shown(budget).nullable(),
    triggers: z.array(triggerView),
    lastRuns: z.array(
      z.object({ id: shownId('run'), status: statusWord, at: time, tookMs: z.number().nullable() }),
    ),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Job' })
same<Same<z.infer<typeof jobView>, JobView>>()

export const shownSecret = z.object({
  triggerId: shownId('trigger'),
  path: z.string(),
  url: z.string(),
  scheme: z.enum(WEBHOOK_SCHEMES),
  secret: z.string().meta({ description: 'In this answer and nowhere else.' }),
})
export const shownOutputSecret = z.object({ outputId: shownId('output'), secret: z.string() })
export const createdJob = z.object({
  job: jobView,
  secrets: z.array(shownSecret),
  outputSecrets: z.array(shownOutputSecret),
})
/** What firing something by hand started. */
export const firedRun = z.object({
  eventId: shownId('event'),
  deliveryId: shownId('delivery'),
  runId: shownId('run'),
})

const triggerRef = z.object({ id: shownId('trigger'), kind: z.enum(TRIGGER_KINDS) })

const draftRehearsal = z.object({
  fires: z.boolean(),
  reason: z.enum(IGNORED_REASONS).nullable(),
  message: z.string().nullable(),
  filters: z.array(
    z.intersection(shown(triggerFilter), z.object({ holds: z.boolean(), found: z.string().nullable() })),
  ),
  prompt: z.string(),
  promptCut: z.boolean(),
  missing: z.array(z.string()).meta({
    description: 'What the prompt names without a default and this event does not have, such as payload.ref.',
  }),
  key: z.string().nullable(),
  next: z.string().meta({ description: 'What would happen next, as a sentence.' }),
})
export const draftRehearsalView = draftRehearsal.meta({ id: 'DraftRehearsal' })
same<Same<z.infer<typeof draftRehearsalView>, DraftRehearsalView>>()

export const rehearsalView = draftRehearsal
  .extend({
    trigger: triggerRef.nullable(),
    rules: shown(runRules),
    agent: z.object({ id: shownId('agent'), key: z.string() }),
    machine: z.object({ id: shownId('machine'), name: z.string(), state: z.enum(MACHINE_STATES) }),
    workspace: z.string().nullable(),
  })
  .meta({ id: 'Rehearsal' })
same<Same<z.infer<typeof rehearsalView>, RehearsalView>>()

export const simulationView = z
  .object({
    since: time,
    events: z.array(
      z.object({
        id: shownId('event'),
        source: z.enum(EVENT_SOURCES),
        receivedAt: time,
        fires: z.boolean(),
        reason: z.enum(IGNORED_REASONS).nullable(),
        message: z.string().nullable(),
        fired: z.boolean(),
      }),
    ),
    isCapped: z.boolean(),
    fires: z.number(),
    slots: z.array(
      z.object({
        triggerId: shownId('trigger'),
        count: z.number(),
        isCapped: z.boolean(),
        newest: z.array(time),
      }),
    ),
  })
  .meta({ id: 'Simulation' })
same<Same<z.infer<typeof simulationView>, SimulationView>>()

export const nextFiresView = z
  .object({
    words: z.string(),
    zone: z.string(),
    shownIn: z.string(),
    fires: z.array(z.object({ at: time, local: z.string() })),
  })
  .meta({ id: 'NextFires' })
same<Same<z.infer<typeof nextFiresView>, NextFires>>()
