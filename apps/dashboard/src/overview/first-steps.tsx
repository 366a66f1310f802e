import type { OverviewView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { Button } from '../elements/button.tsx'

type Step = { name: string; done: boolean; how: ReactNode }

/** From this many runs on nobody is new here. */
const ENOUGH_RUNS = 5
/** What `npm start` made to prove the path is not what a person did. */
const PROOF = 'proof'
const STORED_AS = 'baton.first-steps'

/** What is still to be done before Baton does something useful; gone once it is, or when a person puts it away. */
export function FirstSteps({ overview }: { overview: OverviewView }) {
  const [isAway, setAway] = useState(isPutAway)
  const own = [...overview.running, ...overview.recent].filter(({ job }) => job?.key !== PROOF)
  const steps = stepsOf(overview, own.length > 0)
  if (isAway || own.length >= ENOUGH_RUNS || steps.every(({ done }) => done)) return null
  return (
    <section aria-label="First steps" className="card mb-7 px-4 py-3">
      <div className="flex items-center justify-between gap-3">
        <h2 className="font-semibold">
          First steps: {steps.filter(({ done }) => done).length} of {steps.length} done
        </h2>
        <Button
          small
          look="bare"
          onClick={() => {
            putAway()
            setAway(true)
          }}
        >
          Hide
        </Button>
      </div>
      <ol className="mt-1 space-y-1.5">
        {steps.map(({ name, done, how }) => (
          <li key={name} className="grid grid-cols-[1.25rem_minmax(0,1fr)]">
            <span aria-hidden className={done ? 'text-good' : 'text-soft'}>
              {done ? '✓' : '○'}
            </span>
            <div>
              <p className={done ? 'text-soft' : 'font-medium'}>
                {name}
                <span className="sr-only">{done ? ': done' : ': to do'}</span>
              </p>
              {!done && <div className="text-[13px] text-soft">{how}</div>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  )
}

function stepsOf({ machines, agents, jobs, recent }: OverviewView, hasRun: boolean): Step[] {
  const ofProof = recent.some(({ job }) => job?.key === PROOF) ? 1 : 0
  return [
    {
      name: 'A machine is connected',
      done: machines.some(({ state }) => state === 'online'),
      how: <StepLink to="/machines">Add a machine and paste its line there</StepLink>,
    },
    {
      name: 'An agent with a model is ready',
      done: agents.some(
        ({ runtime, state }) => runtime !== 'command' && (state === 'idle' || state === 'busy'),
      ),
      how: (
        <>
          Install Claude Code, Codex, Gemini CLI or opencode on a machine and sign in there; then{' '}
          <StepLink to="/agents">add it as an agent</StepLink>. The demo agent needs none.
        </>
      ),
    },
    {
      name: 'A run of your own',
      done: hasRun,
      how: 'Press “Start a run”, or type npx baton run "…" in any folder.',
    },
    {
      name: 'A job that starts by itself',
      done: jobs > ofProof,
      how: (
        <StepLink to="/jobs/new">Make one: at a time, on a webhook, on GitHub, when files change</StepLink>
      ),
    },
  ]
}

function StepLink({ to, children }: { to: '/machines' | '/agents' | '/jobs/new'; children: ReactNode }) {
  return (
    <Link to={to} className="font-medium text-accent underline">
      {children}
    </Link>
  )
}

function isPutAway(): boolean {
  try {
    return localStorage.getItem(STORED_AS) === 'hidden'
  } catch {
    return false
  }
}

function putAway(): void {
  try {
    localStorage.setItem(STORED_AS, 'hidden')
  } catch {
    // Storage is blocked: it comes back with the next load.
  }
}
