import type { Transcript } from '@baton/protocol'
import { formatCount } from '../elements/format.ts'

/** Whether every event of the run is here: complete with its hash, or exactly which are missing. */
export function TranscriptCertificate({ transcript }: { transcript: Transcript }) {
  const { complete, missing, sentence, hash } = transcript
  const waiting = !complete && missing.length === 0
  const look = complete ? 'text-good' : waiting ? 'text-soft' : 'text-bad'
  return (
    <div className="space-y-1 text-[13px]">
      <p className={`font-medium ${look}`}>
        <span aria-hidden>{complete ? '✓ ' : waiting ? '◔ ' : '✕ '}</span>
        {sentence}
      </p>
      {missing.length > 0 && (
        <p>
          Missing:{' '}
          {missing
            .map(({ from, to }) =>
              from === to ? formatCount(from) : `${formatCount(from)} to ${formatCount(to)}`,
            )
            .join(', ')}
        </p>
      )}
      <p className="font-mono text-xs break-all text-soft" title="Rolling SHA-256 over all events">
        {hash}
      </p>
    </div>
  )
}
