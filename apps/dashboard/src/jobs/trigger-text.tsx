import { filterText, type JobView, type TriggerView } from '@baton/protocol'
import { useApi } from '../api/api-context.ts'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { formatDuration } from '../elements/format.ts'
import { Ago } from '../elements/time.tsx'
import { NextFires } from './next-fires.tsx'
import { SCHEME_WORDS } from './trigger-words.ts'

/** One trigger as a person reads it: where to, when, or what for. */
export function TriggerText({ job, trigger }: { job: JobView; trigger: TriggerView }) {
  switch (trigger.kind) {
    case 'manual':
      return null
    case 'webhook':
      return <Webhook trigger={trigger} />
    case 'cron':
    case 'interval':
      return (
        <div className="space-y-1">
          {trigger.kind === 'cron' && (
            <p className="text-[13px]">
              <code className="font-mono">{trigger.expression}</code>{' '}
              <span className="text-soft">in {trigger.zone}</span>
            </p>
          )}
          {trigger.paused || !job.enabled ? (
            <p className="text-[13px] text-soft">It does not fire while it is paused or its job is off.</p>
          ) : (
            <NextFires schedule={{ triggerId: trigger.id }} />
          )}
        </div>
      )
    case 'file_change':
      return <FileChange trigger={trigger} />
    case 'git_push':
      return <GitPush job={job} trigger={trigger} />
    case 'github':
      return <Github trigger={trigger} />
  }
}

function Webhook({ trigger }: { trigger: TriggerView & { kind: 'webhook' } }) {
  return (
    <div className="space-y-1.5">
      <CopyLine text={trigger.url} />
      <p className="text-[13px] text-soft">
        POST, {SCHEME_WORDS[trigger.scheme]}
        {trigger.secrets > 1 && `; ${trigger.secrets} secrets are valid now`}.
      </p>
      {trigger.filters.length > 0 && (
        <p className="text-[13px]">
          Only when{' '}
          {trigger.filters.map((filter, index) => (
            <span key={filterText(filter)}>
              {index > 0 && ' and '}
              <code className="font-mono">{filterText(filter)}</code>
            </span>
          ))}
        </p>
      )}
    </div>
  )
}

const WATCH_WORDS = {
  watching: '✓ watched',
  polling: '◔ looked at from time to time',
  refused: '✕ refused by the machine',
  failed: '✕ cannot be watched',
}

function FileChange({ trigger }: { trigger: TriggerView & { kind: 'file_change' } }) {
  const { watch } = trigger
  const isBad = watch?.state === 'refused' || watch?.state === 'failed'
  return (
    <div className="space-y-1 text-[13px]">
      <p>
        <code className="font-mono">{trigger.globs.join(', ')}</code> in{' '}
        <code className="font-mono break-all">{trigger.folder}</code>, once nothing has changed for{' '}
        {formatDuration(trigger.quietMs)}
      </p>
      {trigger.ignore.length > 0 && (
        <p className="text-soft">
          Not <code className="font-mono">{trigger.ignore.join(', ')}</code>
        </p>
      )}
      {watch === null ? (
        <p className="text-soft">Its machine has not said yet whether it can watch it.</p>
      ) : (
        <p className={isBad ? 'text-bad' : 'text-good'}>
          {WATCH_WORDS[watch.state]}{' '}
          <span className="text-soft">
            {watch.message} (<Ago at={watch.at} />)
          </span>
        </p>
      )}
    </div>
  )
}

function GitPush({ job, trigger }: { job: JobView; trigger: TriggerView & { kind: 'git_push' } }) {
  const { origin } = useApi()
  return (
    <div className="space-y-1.5">
      <p className="text-[13px]">
        Pushes to <code className="font-mono">{trigger.branches.join(', ')}</code>. In the repository, once:
      </p>
      <CopyLine text={batonCommand(origin, `hook git install --repo . --job ${job.key}`)} />
    </div>
  )
}

function Github({ trigger }: { trigger: TriggerView & { kind: 'github' } }) {
  const only: [string, readonly string[]][] = [
    ['in', trigger.repositories],
    ['on', trigger.branches],
    ['that changes', trigger.paths],
    ['labelled', trigger.labels],
    ['by', trigger.actors],
  ]
  return (
    <p className="text-[13px]">
      {trigger.event.replaceAll('_', ' ')}
      {trigger.actions.length > 0 && ` ${trigger.actions.join(', ')}`}
      {only
        .filter(([, values]) => values.length > 0)
        .map(([word, values]) => (
          <span key={word}>
            {' '}
            {word} <code className="font-mono">{values.join(', ')}</code>
          </span>
        ))}
      {trigger.command && (
        <>
          , beginning with <code className="font-mono">{trigger.command}</code>
        </>
      )}
      {trigger.mention && ', or mentioning the App'}
      {trigger.forks && ', also from forks'}
    </p>
  )
}
