import {
  type Budget,
  DEFAULT_RULES,
  type JobRetention,
  type JobView,
  MAX_ATTEMPTS,
  type RunLimits,
  type RunRules,
  type RunView,
  SILENCE_LIMIT_MS,
} from '@baton/protocol'
import { budgetOrNone, NO_BUDGET } from '../elements/budget-fields.tsx'
import { type OutputDraft, toOutputInput } from '../outputs/output-draft.ts'
import { newTrigger, type TriggerDraft, toTriggerInput } from './trigger-draft.ts'

/** A job as its form holds it. Triggers and outputs are a part of it only while it is made. */
export type JobDraft = {
  name: string
  key: string
  agent: string
  prompt: string
  workspace: string
  triggers: TriggerDraft[]
  outputs: OutputDraft[]
  limits: RunLimits
  rules: RunRules
  concurrency: { key: string; limit: number | null }
  budget: Budget
  retention: JobRetention
  approvals: { mode: '' | 'deny' | 'ask'; allow: string }
}

export const newJob = (): JobDraft => ({
  name: '',
  key: '',
  agent: '',
  prompt: '',
  workspace: '',
  triggers: [newTrigger('webhook')],
  outputs: [],
  limits: { silenceMs: SILENCE_LIMIT_MS, wallMs: null, maxAttempts: MAX_ATTEMPTS, repeatable: false },
  rules: DEFAULT_RULES,
  concurrency: { key: '', limit: 1 },
  budget: NO_BUDGET,
  retention: { runs: null, days: null },
  approvals: { mode: '', allow: '' },
})

/** A run that went well, as a job that does the same again: its triggers are still to be said. */
export const jobOfRun = (
  run: Pick<RunView, 'prompt' | 'agent' | 'requestedWorkspace' | 'limits'>,
): JobDraft => ({
  ...newJob(),
  agent: run.agent.key,
  prompt: run.prompt,
  workspace: run.requestedWorkspace ?? '',
  limits: run.limits,
  triggers: [],
})

export function draftOfJob(job: JobView): JobDraft {
  return {
    name: job.name,
    key: job.key,
    agent: job.agent.key,
    prompt: job.prompt,
    workspace: job.workspace ?? '',
    triggers: [],
    outputs: [],
    limits: job.limits,
    rules: { ...DEFAULT_RULES, ...job.rules },
    concurrency: job.rules.concurrency ?? { key: '', limit: 1 },
    budget: job.budget ?? NO_BUDGET,
    retention: job.retention,
    approvals: { mode: job.approvals.mode ?? '', allow: (job.approvals.allow ?? []).join('\n') },
  }
}

function settingsOf(draft: JobDraft) {
  const { key, limit } = draft.concurrency
  return {
    name: draft.name.trim(),
    agent: draft.agent,
    prompt: draft.prompt,
    workspace: draft.workspace.trim() || null,
    limits: draft.limits,
    rules: { ...draft.rules, concurrency: key.trim() ? { key: key.trim(), limit: limit ?? 1 } : null },
    budget: budgetOrNone(draft.budget),
  }
}

function approvalsOf({ mode, allow }: JobDraft['approvals']) {
  const lines = allow.split('\n').map((line) => line.trim())
  return { ...(mode && { mode }), allow: lines.filter((line) => line !== '') }
}

/** What `jobs.create` takes. */
export function toNewJob(draft: JobDraft) {
  const { mode, allow } = draft.approvals
  return {
    ...settingsOf(draft),
    key: draft.key,
    triggers: draft.triggers.map(toTriggerInput),
    outputs: draft.outputs.map((output) => toOutputInput(output)),
    ...((mode || allow.trim()) && { approvals: approvalsOf(draft.approvals) }),
  }
}

/** What `jobs.update` takes; a job without approvals of its own follows its agent. */
export function toJobChange(id: string, draft: JobDraft) {
  const { mode, allow } = draft.approvals
  return {
    id,
    ...settingsOf(draft),
    retention: draft.retention,
    approvals: mode || allow.trim() ? approvalsOf(draft.approvals) : null,
  }
}
