import type { AgentView } from '@baton/protocol'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { formatMoment } from '../elements/format.ts'
import { Ago } from '../elements/time.tsx'

/** Why an agent takes no work although nobody paused it, and the button that tries again. */
export function AgentBlock({ agent }: { agent: AgentView }) {
  const resume = useAction('resuming the agent', (api, id: AgentView['id']) =>
    api.agents.resume.mutate({ id }),
  )
  const { blocked, cause } = agent
  if (blocked === null) {
    if (cause === null) return null
    return <p className="mb-5 rounded-xl bg-warn-soft/60 px-4 py-3">{cause}</p>
  }
  return (
    <section
      aria-label="Why it takes no work"
      className="mb-5 space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 px-4 py-3"
    >
      <p className="font-medium">
        <span aria-hidden>◆ </span>
        {blocked.message}
      </p>
      <p className="text-soft">
        {blocked.since !== null && (
          <>
            Since <Ago at={blocked.since} />.{' '}
          </>
        )}
        {blocked.until === null
          ? 'It waits until somebody does something about it.'
          : `It goes on by itself at ${formatMoment(blocked.until)}.`}
      </p>
      {blocked.reason !== 'budget' && (
        <Button small disabled={resume.busy} onClick={() => resume.start(agent.id)}>
          It is mended: resume now
        </Button>
      )}
      <Problem text={resume.problem} />
    </section>
  )
}
