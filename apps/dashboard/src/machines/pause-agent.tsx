import type { AgentView } from '@baton/protocol'
import { Pause, Play } from 'lucide-react'
import { useAction } from '../api/use-action.ts'
import { IconButton } from '../elements/button.tsx'
import { Problem } from '../elements/dialog.tsx'

/** A paused agent takes nothing new; what it runs goes on. */
export function PauseAgent({ agent }: { agent: AgentView }) {
  const paused = agent.state === 'paused'
  const toggle = useAction(paused ? 'resuming the agent' : 'pausing the agent', (api, id: AgentView['id']) =>
    paused ? api.agents.resume.mutate({ id }) : api.agents.pause.mutate({ id }),
  )
  if (agent.state === 'archived') return null
  return (
    <>
      <IconButton
        small
        label={paused ? `Resume ${agent.key}` : `Pause ${agent.key}: it takes nothing new`}
        disabled={toggle.busy}
        icon={paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
        onClick={() => toggle.start(agent.id)}
      />
      <Problem text={toggle.problem} />
    </>
  )
}
