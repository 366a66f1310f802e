import { ERROR_KINDS, type RunView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { CopyButton } from '../elements/copy-button.tsx'
import { formatCount, formatDuration, formatMoment } from '../elements/format.ts'
import { StatusMark } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'
import { SpawnFacts } from './spawn-facts.tsx'
import { StageTimeline } from './stage-timeline.tsx'
import { TranscriptCertificate } from './transcript-certificate.tsx'

/** Everything that is known about a run beside its log. */
export function RunFacts({ run }: { run: RunView }) {
  return (
    <div className="card divide-y divide-line">
      <Part title="Time">
        <StageTimeline ladder={run.ladder} />
      </Part>
      <Part title="Where">
        <dl className="space-y-1.5 text-[13px]">
          <Fact name="Agent">
            <Link
              to="/agents/$agent"
              params={{ agent: run.agent.key }}
              className="font-medium text-accent hover:underline"
            >
              {run.agent.key}
            </Link>{' '}
            <span className="text-soft">({run.agent.runtime})</span>
          </Fact>
          <Fact name="Machine">
            <Link
              to="/machines/$machine"
              params={{ machine: run.machine.id }}
              className="font-medium text-accent hover:underline"
            >
              {run.machine.name}
            </Link>{' '}
            <span className="text-soft">({run.machine.state})</span>
          </Fact>
          <Fact name="Folder">
            <span className="font-mono text-xs break-all">
              {run.workspace ?? run.requestedWorkspace ?? 'kept by the runner'}
            </span>
            {run.workspace !== null && <CopyButton text={run.workspace} bare label="Copy the path" />}
          </Fact>
          <Fact name="Job">
            {run.job ? (
              <Link
                to="/jobs/$job"
                params={{ job: run.job.key }}
                className="font-medium text-accent hover:underline"
              >
                {run.job.name}
              </Link>
            ) : (
              <span className="text-soft">none, started by hand</span>
            )}
          </Fact>
          <Fact name="Event">
            <Link
              to="/events/$event"
              params={{ event: run.event.id }}
              className="font-medium text-accent hover:underline"
            >
              {run.event.source.replaceAll('_', ' ')} event
            </Link>
          </Fact>
          {run.trust === 'public' && <Fact name="Trust">came from outside: it had the least power</Fact>}
          {run.conversation !== null && <Fact name="Talk">conversation {run.conversation}</Fact>}
          <Fact name="Stored">
            <Ago at={run.ladder.storedAt} />
          </Fact>
          {run.parkedUntil !== null && <Fact name="Parked">until {formatMoment(run.parkedUntil)}</Fact>}
          {run.expiresAt !== null && run.ladder.startedAt === null && (
            <Fact name="Expires">{formatMoment(run.expiresAt)}</Fact>
          )}
        </dl>
      </Part>
      {run.attempts.length > 1 && (
        <Part title="Attempts">
          <Attempts run={run} />
        </Part>
      )}
      <Part title="Prompt" aside={<CopyButton text={run.prompt} bare />}>
        <pre className="max-h-64 overflow-auto font-sans text-[13px] break-words whitespace-pre-wrap [overflow-wrap:anywhere]">
          {run.prompt}
        </pre>
      </Part>
      {run.usage && (
        <Part title="Usage">
          <dl className="space-y-1.5 text-[13px] tabular-nums">
            {run.usage.model && <Fact name="Model">{run.usage.model}</Fact>}
            <Fact name="Tokens">
              {formatCount(run.usage.inputTokens)} in, {formatCount(run.usage.outputTokens)} out
              {run.usage.cachedTokens > 0 && `, ${formatCount(run.usage.cachedTokens)} from cache`}
            </Fact>
            {run.usage.costUsd !== null && (
              <Fact name="Cost">${run.usage.costUsd.toFixed(4)}, said by the agent</Fact>
            )}
          </dl>
        </Part>
      )}
      {run.killProof && (
        <Part title="How it was ended">
          <KillProofFacts proof={run.killProof} />
        </Part>
      )}
      <SpawnFacts run={run} />
      <Part title="Transcript">
        <TranscriptCertificate transcript={run.transcript} />
      </Part>
      <Part title="Ids">
        <dl className="space-y-0.5 text-[13px]">
          <Id name="Run" id={run.id} />
          <Id name="Delivery" id={run.deliveryId} />
          {run.sessionId && <Id name="Session" id={run.sessionId} />}
        </dl>
      </Part>
    </div>
  )
}

/** For a failed run: what a person can do about its kind of failure. */
export function errorAdvice(run: RunView): string | null {
  return run.errorKind === null ? null : ERROR_KINDS[run.errorKind]
}

function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="px-4 py-3">
      <div className="mb-1.5 flex min-h-6 items-center justify-between gap-2">
        <h2 className="text-[13px] font-semibold text-soft">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-2">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  )
}

function Id({ name, id }: { name: string; id: string }) {
  return (
    <div className="grid grid-cols-[4.5rem_minmax(0,1fr)_auto] items-center gap-2">
      <dt className="text-soft">{name}</dt>
      <dd className="truncate font-mono text-xs">{id}</dd>
      <dd>
        <CopyButton text={id} bare />
      </dd>
    </div>
  )
}

function Attempts({ run }: { run: RunView }) {
  return (
    <ol className="space-y-0.5 text-[13px]">
      {run.attempts.map(({ id, attempt, status }) => (
        <li key={id} className="flex min-h-6 items-center justify-between gap-2">
          {id === run.id ? (
            <span className="font-medium">Attempt {attempt}, shown here</span>
          ) : (
            <Link
              to="/runs/$runId"
              params={{ runId: id }}
              className="font-medium text-accent hover:underline"
            >
              Attempt {attempt}
            </Link>
          )}
          <StatusMark word={status} />
        </li>
      ))}
    </ol>
  )
}

function KillProofFacts({ proof }: { proof: NonNullable<RunView['killProof']> }) {
  const gone = proof.survivors === 0
  return (
    <div className="space-y-1 text-[13px]">
      <p className={gone ? 'text-good' : 'text-bad'}>
        <span aria-hidden>{gone ? '✓ ' : '✕ '}</span>
        {gone
          ? `Nothing was left after ${formatDuration(proof.tookMs)}.`
          : `${proof.survivors} survived after ${formatDuration(proof.tookMs)}.`}
      </p>
      <ul className="text-soft">
        {proof.signals.map(({ signal, atMs, processes }) => (
          <li key={`${signal} ${atMs}`}>
            {signal} to {processes} {processes === 1 ? 'process' : 'processes'} after {formatDuration(atMs)}
          </li>
        ))}
      </ul>
    </div>
  )
}
