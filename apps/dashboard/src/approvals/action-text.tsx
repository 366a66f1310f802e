import type { ApprovalView } from '@baton/protocol'
import { CopyButton } from '../elements/copy-button.tsx'

/** The exact action. Lines that come and go are told apart by their marks, and by colour besides. */
export function ActionText({ approval }: { approval: ApprovalView }) {
  const lines = approval.summary.split('\n').map((line, at) => ({ line, at }))
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-sunk">
      <div className="flex items-start gap-2">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        <pre tabIndex={0} className="max-h-80 min-w-0 flex-1 overflow-auto px-3 py-2 font-mono text-[13px]">
          {lines.map(({ line, at }) => (
            <div
              key={at}
              className={`break-words whitespace-pre-wrap [overflow-wrap:anywhere] ${lookOf(line, at)}`}
            >
              {line === '' ? ' ' : line}
            </div>
          ))}
        </pre>
        <CopyButton text={approval.summary} bare />
      </div>
      {approval.inputCut && (
        <p className="border-t border-line px-3 py-1.5 text-[13px] text-warn">
          ▲ The action is longer than is shown here. An answer counts for all of it (sha256{' '}
          <span className="font-mono">{approval.actionHash.slice(0, 16)}…</span>).
        </p>
      )}
    </div>
  )
}

function lookOf(line: string, at: number): string {
  if (at === 0) return ''
  if (line.startsWith('+ ')) return 'text-good'
  return line.startsWith('- ') ? 'text-bad' : ''
}
