import { z } from 'zod'
import { spawnReport } from '../agent-profile.ts'
import { TRUST_LEVELS } from '../agent-settings.ts'
import {
  ANSWERED_VIA,
  APPROVAL_SCOPES,
  APPROVAL_STATES,
  type ApprovalView,
  CONTROL_STATES,
  type ControlView,
} from '../approvals.ts'
import { ERROR_KIND_NAMES } from '../error-kinds.ts'
import { runChanges, UNDO_KINDS, type UndoView, undoReport } from '../run-changes.ts'
import { killProofSchema, usageSchema } from '../run-events.ts'
import { RUNTIMES, runLimits } from '../runtimes.ts'
import { DELIVERY_STATES, EVENT_SOURCES, OUTCOMES, RUN_STATES } from '../states.ts'
import { STATUS_SHAPES } from '../status.ts'
import type { RunSummary, RunView, StatusWord } from '../views.ts'
import { shownId, time } from './ids.ts'
import { machineRef } from './machines.ts'
import { dispatchView } from './outputs.ts'
import { type Same, same } from './same.ts'
import { shown } from './shown.ts'

export const statusWord = z.enum(Object.keys(STATUS_SHAPES) as [StatusWord, ...StatusWord[]])

const ladder = z.object({
  storedAt: time,
  leasedAt: time.nullable(),
  acceptedAt: time.nullable(),
  startedAt: time.nullable(),
  firstOutputAt: time.nullable(),
  consumedAt: time.nullable(),
  finishedAt: time.nullable(),
})

const transcript = z.object({
  complete: z.boolean(),
  events: z.number(),
  expected: z.number().nullable(),
  hash: z.string(),
  expectedHash: z.string().nullable(),
  missing: z.array(z.object({ from: z.number(), to: z.number() })),
  sentence: z.string(),
})

const shownText = z.string()
/** What was reported went through `runChanges`; here nothing is cut any more. */
const changesSummary = runChanges.omit({ diff: true }).extend({
  repository: shownText,
  baseCommit: shownText.nullable(),
  headCommit: shownText.nullable(),
  branch: shownText.nullable(),
  worktree: shownText.nullable(),
  commits: z.array(z.object({ id: shownText, subject: shownText })),
  files: z.array(
    z.object({
      path: shownText,
      kind: runChanges.shape.files.element.shape.kind,
      insertions: z.number().nullable(),
      deletions: z.number().nullable(),
      from: shownText.nullable(),
    }),
  ),
})
export const runChangesView = changesSummary.extend({ diff: shownText }).meta({ id: 'RunChanges' })

export const undoView = z
  .object({
    id: shownId('undo'),
    runId: shownId('run'),
    kind: z.enum(UNDO_KINDS),
    dryRun: z.boolean(),
    state: z.enum(['asked', ...undoReport.shape.state.options]),
    message: z.string().nullable(),
    files: z.array(shownText),
    blocked: z.array(z.object({ path: shownText, why: shownText })),
    askedAt: time,
    settledAt: time.nullable(),
  })
  .meta({ id: 'Undo' })
same<Same<z.infer<typeof undoView>, UndoView>>()

const jobRef = z.object({ id: shownId('job'), key: z.string(), name: z.string() })

const summary = {
  id: shownId('run'),
  deliveryId: shownId('delivery'),
  attempt: z.number(),
  status: statusWord,
  sentence: z.string().meta({ description: 'One sentence that explains the status.' }),
  state: z.enum(RUN_STATES).nullable().meta({ description: 'null until a machine accepted it.' }),
  deliveryState: z.enum(DELIVERY_STATES),
  outcome: z.enum(OUTCOMES).nullable(),
  agent: z.object({
    id: shownId('agent'),
    key: z.string(),
    name: z.string(),
    runtime: z.enum(RUNTIMES),
  }),
  machine: machineRef,
  job: jobRef.nullable(),
  event: z.object({ id: shownId('event'), source: z.enum(EVENT_SOURCES) }),
  ladder,
}

export const runSummary = z
  .object({ ...summary, promptStart: z.string(), resultStart: z.string().nullable() })
  .meta({ id: 'RunSummary' })
same<Same<z.infer<typeof runSummary>, RunSummary>>()

export const runView = z
  .object({
    ...summary,
    errorKind: z.enum(ERROR_KIND_NAMES).nullable(),
    message: z.string().nullable(),
    exitCode: z.number().nullable(),
    result: z.string().nullable(),
    usage: shown(usageSchema).nullable(),
    sessionId: z.string().nullable(),
    killProof: shown(killProofSchema).nullable(),
    prompt: z.string(),
    workspace: z.string().nullable(),
    requestedWorkspace: z.string().nullable(),
    limits: shown(runLimits),
    event: z.object({ id: shownId('event'), source: z.enum(EVENT_SOURCES) }),
    cancelRequestedAt: time.nullable(),
    parkedUntil: time.nullable(),
    trust: z.enum(TRUST_LEVELS),
    conversation: z.string().nullable(),
    expiresAt: time.nullable(),
    openApprovals: z.array(
      z.object({
        id: shownId('approval'),
        tool: z.string(),
        summary: z.string(),
        askedAt: time,
        expiresAt: time,
      }),
    ),
    dispatches: z.array(z.lazy(() => dispatchView)),
    changes: changesSummary.nullable(),
    undo: undoView.nullable(),
    transcript,
    attempts: z.array(z.object({ id: shownId('run'), attempt: z.number(), status: statusWord })),
  })
  .meta({ id: 'Run' })
same<Same<z.infer<typeof runView>, RunView>>()

export const approvalView = z
  .object({
    id: shownId('approval'),
    state: z.enum(APPROVAL_STATES),
    run: z.object({ id: shownId('run'), deliveryId: shownId('delivery') }),
    agent: z.object({ id: shownId('agent'), key: z.string(), name: z.string() }),
    machine: z.object({ id: shownId('machine'), name: z.string() }),
    job: jobRef.nullable(),
    ask: z.string(),
    tool: z.string(),
    summary: z.string(),
    input: z.unknown().optional(),
    inputCut: z.boolean(),
    cwd: z.string(),
    actionHash: z.string(),
    pattern: z.string().nullable(),
    askedAt: time,
    expiresAt: time,
    answeredAt: time.nullable(),
    answeredBy: z.object({ id: shownId('user').nullable(), name: z.string() }).nullable(),
    answeredVia: z.enum(ANSWERED_VIA).nullable(),
    scope: z.enum(APPROVAL_SCOPES).nullable(),
    message: z.string().nullable(),
    answer: z.object({ state: z.enum(CONTROL_STATES), reason: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'Approval' })
same<Same<z.infer<typeof approvalView>, ApprovalView>>()

export const controlView = z
  .object({
    id: shownId('control'),
    kind: z.enum(['answer', 'steer', 'interrupt']),
    text: z.string().nullable(),
    state: z.enum(CONTROL_STATES),
    reason: z.string().nullable(),
    by: z.object({ id: shownId('user'), name: z.string() }).nullable(),
    via: z.enum(ANSWERED_VIA),
    createdAt: time,
  })
  .meta({ id: 'Control' })
same<Same<z.infer<typeof controlView>, ControlView>>()

export const spawnView = shown(spawnReport)

export const startedRun = z.object({
  eventId: shownId('event'),
  deliveryId: shownId('delivery'),
  runId: shownId('run'),
  agent: z.object({ id: shownId('agent'), key: z.string(), runtime: z.enum(RUNTIMES) }),
})

/** What somebody told a run, on its way. */
export const toldRun = z.object({
  id: shownId('control'),
  kind: z.enum(['steer', 'interrupt']),
  via: z.enum(ANSWERED_VIA),
})

/** `text` is an encoded event; `ended`: nothing more will come. */
export const transcriptPage = z
  .object({
    events: z.array(z.object({ seq: z.number(), text: z.string() })),
    lastSeq: z.number(),
    ended: z.boolean(),
  })
  .meta({ id: 'TranscriptPage' })
