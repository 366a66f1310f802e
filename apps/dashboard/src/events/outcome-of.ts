import type { DeliveryState, EventSource, EventView, IgnoredReason } from '@baton/protocol'

const WHY_NOT: Record<IgnoredReason, string> = {
  job_disabled: 'started nothing: its job is disabled',
  job_deleted: 'started nothing: its job was deleted',
  agent_archived: 'started nothing: the job’s agent is archived',
  filtered: 'started nothing: the job’s filter did not let it through',
  no_job: 'started nothing: no job listens to it',
  overlap_skipped: 'started nothing: an earlier run of the job was not finished',
  coalesced: 'started nothing of its own: a run that still waited took it over',
  trigger_paused: 'started nothing: its trigger is paused',
  missed: 'started nothing: its time passed while no relay ran',
  loop: 'started nothing: runs caused it in a loop',
  backlog_full: 'started nothing: too much waited for its machine',
  own_event: 'started nothing: Baton made it itself on GitHub',
  actor_refused: 'started nothing: who made it may not start runs',
  fork_refused: 'started nothing: it comes from a fork',
  text_edited: 'started nothing: its text was changed since',
}

/** What came of an event, in words. */
export function outcomeOf({
  state,
  reason,
  deliveries,
}: Pick<EventView, 'state' | 'reason' | 'deliveries'>): string {
  if (state === 'accepted') return 'stored, not matched yet'
  if (state === 'ignored') return reason === null ? 'started nothing' : WHY_NOT[reason]
  if (deliveries.length === 0) return 'started nothing'
  const states = [...new Set(deliveries.map((delivery) => DELIVERY_WORDS[delivery.state]))].join(', ')
  return deliveries.length === 1
    ? `started one run: ${states}`
    : `started ${deliveries.length} runs: ${states}`
}

/** How the work that it started stands, in the words of the runs. */
const DELIVERY_WORDS: Record<DeliveryState, string> = {
  pending: 'queued',
  leased: 'starting',
  running: 'running',
  stalled: 'asleep',
  parked: 'waiting',
  succeeded: 'done',
  failed: 'failed',
  cancelled: 'stopped',
  dead: 'failed',
  expired: 'failed, nobody took it in time',
}

const SOURCE_WORDS: Record<EventSource, string> = {
  webhook: 'Webhook',
  manual: 'Run by hand',
  cron: 'Schedule',
  interval: 'Interval',
  file_change: 'Changed files',
  git_push: 'Git push',
  github: 'GitHub',
  message: 'Message',
}

/** What arrived: "Webhook for review", "Run by hand of review", "Schedule for nightly". */
export function titleOfEvent({ source, job }: Pick<EventView, 'source' | 'job'>): string {
  if (job === null) return SOURCE_WORDS[source]
  return `${SOURCE_WORDS[source]} ${source === 'manual' ? 'of' : 'for'} ${job.key}`
}
