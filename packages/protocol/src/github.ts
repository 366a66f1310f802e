import { z } from 'zod'
import type { GithubAppId } from './ids.ts'

/** What a `github` trigger can listen to. `label` is a label put on an issue or a pull request. */
export const GITHUB_TRIGGER_EVENTS = [
  'push',
  'pull_request',
  'issues',
  'issue_comment',
  'pull_request_review_comment',
  'label',
  'check_run',
  'workflow_run',
  'release',
] as const
export type GithubTriggerEvent = (typeof GITHUB_TRIGGER_EVENTS)[number]

/** The actions that fire a trigger which names none. Edits never do unless a trigger asks for them. */
export const GITHUB_USUAL_ACTIONS: Record<GithubTriggerEvent, readonly string[]> = {
  push: [],
  pull_request: ['opened', 'reopened', 'synchronize', 'ready_for_review'],
  issues: ['opened', 'reopened'],
  issue_comment: ['created'],
  pull_request_review_comment: ['created'],
  label: ['labeled'],
  check_run: ['completed'],
  workflow_run: ['completed'],
  release: ['published'],
}

const glob = z
  .string()
  .regex(/^[^\s\\[\]{}()!]{1,200}$/, 'use plain text with *, ** and ?; a * does not go past a /')
const globs = z.array(glob).max(100).default([])

/** What is shown on GitHub while a delivery is worked on. Each is one thing, updated in place. */
export const githubFeedback = z.object({
  /** An eyes reaction on the comment, issue or pull request, when the delivery is stored. */
  reaction: z.boolean().default(true),
  /** One comment that follows the run and ends with its result. */
  comment: z.boolean().default(true),
  /** A check run on the commit: queued, in progress, completed. */
  check: z.boolean().default(true),
  /** One more comment with the result, which notifies people; the followed comment then only links. */
  resultComment: z.boolean().default(false),
  /** Push the branch of the run's worktree and open a pull request when it has commits. */
  pullRequest: z.boolean().default(false),
})
export type GithubFeedback = z.infer<typeof githubFeedback>

/** A trigger on what happens in repositories where a GitHub App of the organization is installed. */
const triggerFields = z.strictObject({
  /** The App, by its id here or its slug on GitHub; left out while there is only one. */
  app: z.string().min(1).max(200).nullable().default(null),
  event: z.enum(GITHUB_TRIGGER_EVENTS),
  actions: z
    .array(z.string().regex(/^[a-z_]{1,50}$/, 'an action is a word like opened'))
    .max(20)
    .default([]),
  /** `owner/name`, with globs; none means every repository of the installations. */
  repositories: globs,
  /** The branch pushed to, the base of a pull request, or the branch a check ran on. */
  branches: globs,
  /** Changed files of a push or pull request; one that fits is enough. */
  paths: globs,
  labels: globs,
  /** Logins. Whoever it is must have write permission as well, always. */
  actors: globs,
  /** The first line of the text begins with this word. */
  command: z
    .string()
    .regex(/^\/[a-z][a-z0-9-]{0,31}$/, 'a command is a word like /fix')
    .nullable()
    .default(null),
  /** The text mentions the App as @its-slug. With `command` one of the two is enough. */
  mention: z.boolean().default(false),
  /** Pull requests, checks and workflows of forks. */
  forks: z.boolean().default(false),
  /** Bots that may fire it: by the id of their App, and only through this installation of ours when one is named. */
  bots: z
    .array(
      z.object({
        appId: z.number().int().positive(),
        installationId: z.number().int().positive().optional(),
      }),
    )
    .max(20)
    .default([]),
  feedback: githubFeedback.prefault({}),
})

/** What one field says must fit the others. */
function checkTrigger(config: z.infer<typeof triggerFields>, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message })
  if (config.paths.length > 0 && config.event !== 'push' && config.event !== 'pull_request')
    refuse('paths', 'only push and pull_request have changed files')
  if ((config.command !== null || config.mention) && !hasText(config.event))
    refuse('command', `${config.event} has no text that could hold a command or a mention`)
  if (config.branches.length > 0 && ['issues', 'issue_comment', 'label'].includes(config.event))
    refuse('branches', `${config.event} has no branch`)
}

export const githubTriggerConfig = triggerFields.superRefine(checkTrigger)
export type GithubTriggerConfig = z.infer<typeof githubTriggerConfig>
/** The same as an input of `jobs.create` and `jobs.addTrigger`. */
export const githubTrigger = triggerFields.extend({ kind: z.literal('github') }).superRefine(checkTrigger)

const hasText = (event: GithubTriggerEvent) =>
  ['issues', 'issue_comment', 'pull_request', 'pull_request_review_comment'].includes(event)

const { shape } = triggerFields
/** What of it can be changed; the App and the event stay. */
export const githubTriggerChange = z.strictObject({
  kind: z.literal('github'),
  actions: shape.actions.unwrap().optional(),
  repositories: shape.repositories.unwrap().optional(),
  branches: shape.branches.unwrap().optional(),
  paths: shape.paths.unwrap().optional(),
  labels: shape.labels.unwrap().optional(),
  actors: shape.actors.unwrap().optional(),
  command: shape.command.unwrap().optional(),
  mention: z.boolean().optional(),
  forks: z.boolean().optional(),
  bots: shape.bots.unwrap().optional(),
  feedback: githubFeedback.optional(),
})

/** What the App asks for, and what for. `doctor` compares it with what was granted. */
export const GITHUB_PERMISSIONS = {
  metadata: 'read',
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  actions: 'read',
} as const
export type GithubPermissions = Partial<Record<string, string>>

/** The webhook events that the App subscribes to. */
export const GITHUB_EVENTS = [
  'push',
  'pull_request',
  'issues',
  'issue_comment',
  'pull_request_review_comment',
  'check_run',
  'workflow_run',
  'release',
  'label',
] as const

/** What one trigger came to for one event: it fired, or why it did not. */
export type GithubVerdict = { trigger: string; job: string; fired: boolean; why: string }

/** How the last look for missed deliveries ended. */
export type GithubReconciliation = {
  at: number
  /** Deliveries that GitHub listed since the last look. */
  listed: number
  /** Those that had not arrived here. */
  missing: number
  /** Those that GitHub was asked to send again. */
  redelivered: number
  /** Those given up: refused here again and again, or older than GitHub keeps. */
  givenUp: number
  error: string | null
}

export type GithubAppView = {
  id: GithubAppId
  /** GitHub's own number of the App. */
  appId: number
  slug: string
  name: string
  webUrl: string
  apiUrl: string
  settingsUrl: string
  installUrl: string
  createdAt: number
  lastDeliveryAt: number | null
  deliveries: { day: number; waiting: number }
  reconciliation: GithubReconciliation | null
}

export type GithubInstallationView = {
  id: number
  account: string
  accountType: string
  repositorySelection: string
  permissions: GithubPermissions
  suspended: boolean
  url: string
}

export type GithubRepositoryView = {
  id: number
  fullName: string
  private: boolean
  defaultBranch: string
  url: string
}

/** One line of `baton integration github doctor`. */
export type GithubCheck = { name: string; ok: boolean; what: string; unblock: string | null }

export type GithubSetupView = {
  id: string
  /** The page to open in a browser, signed in to GitHub. */
  url: string
  expiresAt: number
  app: GithubAppView | null
}

/** What a runner gets for pushing one branch of one run. Kept in memory only and handed back when done. */
export const githubPushGrant = z.object({
  /** Null: this run pushes nothing. */
  grant: z
    .object({
      token: z.string(),
      remote: z.url(),
      branch: z.string(),
    })
    .nullable(),
  /** Why there is none although there should be one. */
  problem: z.string().nullable(),
})
export type GithubPushGrant = z.infer<typeof githubPushGrant>
