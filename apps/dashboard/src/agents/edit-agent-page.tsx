import type { AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog } from '../elements/dialog.tsx'
import { Loaded, Page } from '../elements/page.tsx'
import { type AgentDraft, draftOfAgent, toAgentChange } from './agent-draft.ts'
import { AgentForm } from './agent-form.tsx'
import { agentQuery } from './agent-queries.ts'

const route = getRouteApi('/agents/$agent/edit')

/** The settings of an agent; secrets and skills are changed on its page. */
export function EditAgentPage() {
  const { agent } = route.useParams()
  const { client } = useApi()
  const answer = useQuery(agentQuery(client, agent))
  return (
    <Page
      title={answer.data ? `Settings of ${answer.data.name}` : 'Settings of the agent'}
      lead="They count for the runs that start from now on."
      actions={answer.data && answer.data.state !== 'archived' && <ArchiveAgent agent={answer.data} />}
    >
      <Loaded answer={answer} of="the agent">
        {(found) => <Edit key={found.id} agent={found} />}
      </Loaded>
    </Page>
  )
}

function Edit({ agent }: { agent: AgentView }) {
  const navigate = useNavigate()
  const [start] = useState(() => draftOfAgent(agent))
  const leave = (saved: boolean) =>
    void navigate({ to: '/agents/$agent', params: { agent: agent.key }, ignoreBlocker: saved })
  const save = useAction('saving the settings', (api, draft: AgentDraft) =>
    api.agents.update.mutate(toAgentChange(agent, draft)),
  )
  return (
    <AgentForm
      agent={agent}
      start={start}
      action={{ ...save, start: (draft) => save.start(draft, () => leave(true)) }}
      onCancel={() => leave(false)}
    />
  )
}

function ArchiveAgent({ agent }: { agent: AgentView }) {
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState('')
  const archive = useAction('archiving the agent', (api, id: AgentView['id']) =>
    api.agents.archive.mutate({ id }),
  )
  return (
    <>
      <Button look="danger" onClick={() => setAsking(true)}>
        Archive…
      </Button>
      {asking && (
        <ConfirmDialog
          title={`Archive ${agent.name}?`}
          confirm="Archive the agent"
          typed={{ value: typed, onChange: setTyped, expected: agent.key }}
          busy={archive.busy}
          problem={archive.problem}
          onConfirm={() => archive.start(agent.id, () => void navigate({ to: '/agents' }))}
          onClose={() => setAsking(false)}
        >
          <p>It takes no more work, and jobs that name it start nothing. Its runs stay.</p>
        </ConfirmDialog>
      )}
    </>
  )
}
