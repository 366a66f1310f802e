import type { RunView, SpawnReport } from '@baton/protocol'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import type { Client } from '../api/client.ts'
import { shellWord } from '../elements/command-line.ts'
import { CopyBlock } from '../elements/copy-button.tsx'
import { Fact, Facts } from '../elements/facts.tsx'
import { Loaded } from '../elements/page.tsx'

const spawnQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['spawn', id],
    queryFn: ({ signal }) => client.runs.spawn.query({ id }, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

/** How its agent was started and how it ended, for a person who looks for the cause. */
export function SpawnFacts({ run }: { run: RunView }) {
  const { client } = useApi()
  const [open, setOpen] = useState(false)
  const spawn = useQuery({ ...spawnQuery(client, run.id), enabled: open })
  if (run.ladder.finishedAt === null || run.ladder.startedAt === null) return null
  return (
    <details className="px-4 py-2" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="min-h-7 text-[13px] font-semibold text-accent">How it was started</summary>
      {open && (
        <Loaded answer={spawn} of="how it was started">
          {(report) =>
            report === null ? (
              <p className="text-[13px] text-soft">Its machine sent no report of it.</p>
            ) : (
              <Report report={report} />
            )
          }
        </Loaded>
      )}
    </details>
  )
}

function Report({ report }: { report: SpawnReport }) {
  const { exit } = report
  return (
    <div className="space-y-2 pt-1">
      <CopyBlock text={report.command.map(shellWord).join(' ')} />
      <Facts>
        <Fact name="Program">
          <span className="font-mono text-xs">{report.file}</span> {report.version}
        </Fact>
        <Fact name="Runner">{report.runnerVersion}</Fact>
        <Fact name="In">
          <span className="font-mono text-xs">{report.cwd}</span>
        </Fact>
        {report.secretNames.length > 0 && <Fact name="Secrets">{report.secretNames.join(', ')}</Fact>}
        {report.limited.length > 0 && <Fact name="Taken away">{report.limited.join('; ')}</Fact>}
        {exit && (
          <Fact name="Ended">
            {[
              exit.exitCode !== null && `exit code ${exit.exitCode}`,
              exit.signal,
              exit.error?.replaceAll('_', ' '),
              exit.message,
            ]
              .filter(Boolean)
              .join(', ')}
          </Fact>
        )}
        <Fact name="Environment">
          <span className="text-soft">{report.environmentNames.join(', ') || 'empty'}</span>
        </Fact>
      </Facts>
      {report.stderrTail && (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
          tabIndex={0}
          className="max-h-48 overflow-auto rounded-lg bg-sunk p-2 font-mono text-xs break-words whitespace-pre-wrap"
        >
          {report.stderrTail}
        </pre>
      )}
    </div>
  )
}
