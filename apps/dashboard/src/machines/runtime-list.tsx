import type { RuntimeProbe } from '@baton/protocol'
import { Capabilities } from './capabilities.tsx'

const SIGNED_IN = { yes: '✓ signed in', no: '✕ not signed in', unknown: '? sign-in not known' }
const TONE = { yes: 'text-good', no: 'text-bad', unknown: 'text-soft' }
const TAKES_COMMANDS = ['command', 'acp']

/** What is installed on a machine, and folded what is not, with how to get it. */
export function RuntimeList({ probes }: { probes: readonly RuntimeProbe[] }) {
  const installed = probes.filter((probe) => probe.installed)
  const missing = probes.filter((probe) => !probe.installed)
  return (
    <>
      {installed.length === 0 && <p className="text-[13px] text-soft">No agent program was found on it.</p>}
      <ul className="space-y-2.5">
        {installed.map((probe) => (
          <li key={probe.runtime} className="min-w-0 space-y-1">
            <Probe probe={probe} />
            <Capabilities of={probe.capabilities} />
          </li>
        ))}
      </ul>
      {missing.length > 0 && (
        <details className="mt-2 text-[13px]">
          <summary className="inline-flex min-h-6 items-center font-medium text-accent">
            Not installed: {missing.map(({ runtime }) => runtime).join(', ')}
          </summary>
          <ul className="mt-1 space-y-1">
            {missing.map((probe) => (
              <li key={probe.runtime} className="break-words">
                <span className="font-medium">{probe.runtime}</span>{' '}
                <span className="text-soft">{probe.detail}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

/** One program: its version, whether it is signed in, and what is missing with how to mend it. */
export function Probe({ probe }: { probe: RuntimeProbe }) {
  const takesCommands = TAKES_COMMANDS.includes(probe.runtime)
  return (
    <div className="text-[13px] break-words">
      <span className="font-medium">{probe.runtime}</span> <span className="text-soft">{probe.version}</span>{' '}
      {!probe.installed && <span className="text-bad">✕ not installed</span>}
      {probe.installed && takesCommands && (
        <span className="text-soft">{probe.commands.join(', ') || 'no command allowed by its policy'}</span>
      )}
      {probe.installed && !takesCommands && (
        <span className={TONE[probe.signedIn]}>{SIGNED_IN[probe.signedIn]}</span>
      )}
      {(!probe.installed || (!takesCommands && probe.signedIn !== 'yes')) && (
        <span className="block text-soft">{probe.detail}</span>
      )}
    </div>
  )
}
