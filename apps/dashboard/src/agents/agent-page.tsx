import type { AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Pencil } from 'lucide-react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { LINK_BUTTON } from '../elements/link-button.ts'
import { Page, Section } from '../elements/page.tsx'
import { RowPage } from '../elements/row-page.tsx'
import { AgentMark } from '../elements/status-mark.tsx'
import { useUndo } from '../elements/undo-note.tsx'
import { LastRuns } from '../runs/last-runs.tsx'
import { StartRun } from '../runs/start-run.tsx'
import { UsagePanel } from '../usage/usage-panel.tsx'
import { AgentBlock } from './agent-block.tsx'
import { AgentConversations } from './agent-conversations.tsx'
import { AgentFacts } from './agent-facts.tsx'
import { agentQuery } from './agent-queries.ts'
import { AgentSecrets } from './agent-secrets.tsx'
import { AgentSkills } from './agent-skills.tsx'
import { runtimeWords } from './agent-words.ts'

const route = getRouteApi('/agents/$agent')

/** Everything about one agent: what it is, what it is given, what it did and used. */
export function AgentPage() {
  const { agent } = route.useParams()
  const { client } = useApi()
  const answer = useQuery(agentQuery(client, agent))
  return (
    <RowPage kind="agent" named={agent} answer={answer}>
      {(row) => <AgentBody key={row.id} agent={row} />}
    </RowPage>
  )
}

function AgentBody({ agent }: { agent: AgentView }) {
  const { origin } = useApi()
  const { say, note } = useUndo()
  const paused = agent.state === 'paused'
  const toggle = useAction('changing the agent', (api, pause: boolean) =>
    pause ? api.agents.pause.mutate({ id: agent.id }) : api.agents.resume.mutate({ id: agent.id }),
  )
  const flip = (pause: boolean) =>
    toggle.start(pause, () =>
      say(pause ? `${agent.key} takes nothing new.` : `${agent.key} takes work again.`, () =>
        toggle.start(!pause),
      ),
    )
  return (
    <Page
      title={agent.name}
      back={{ to: '/agents', name: 'Agents' }}
      lead={
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <AgentMark state={agent.state} />
          <code className="font-mono">{agent.key}</code> {runtimeWords(agent)} on {agent.machine.name}
        </span>
      }
      actions={
        agent.state !== 'archived' && (
          <>
            <Button disabled={toggle.busy} onClick={() => flip(!paused)}>
              {paused ? 'Resume' : 'Pause'}
            </Button>
            <Link to="/agents/$agent/edit" params={{ agent: agent.key }} className={LINK_BUTTON}>
              <Pencil size={15} aria-hidden />
              Settings
            </Link>
            <StartRun agent={agent.key} />
          </>
        )
      }
    >
      <Problem text={toggle.problem} />
      <AgentBlock agent={agent} />
      <div className="grid gap-x-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <LastRuns filter={{ agent: agent.id }} />
          <Section title="Instructions">
            {agent.instructions.trim() === '' ? (
              <p className="card border-dashed px-4 py-3 text-soft">None: it gets the prompts alone.</p>
            ) : (
              <pre
                // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
                tabIndex={0}
                className="card max-h-80 overflow-auto p-4 font-sans break-words whitespace-pre-wrap"
              >
                {agent.instructions}
              </pre>
            )}
          </Section>
          <AgentSecrets agent={agent} />
          <AgentSkills agent={agent} />
          <Section title="Memory">
            <div className="card space-y-2 px-4 py-3">
              <p className="text-soft">
                What it remembers is a file on {agent.machine.name}, which the relay never sees. On that
                machine:
              </p>
              <CopyLine text={batonCommand(origin, `agent memory ${agent.key}`)} />
            </div>
          </Section>
          <AgentConversations agent={agent} />
        </div>
        <div className="min-w-0 space-y-5">
          <AgentFacts agent={agent} />
          <UsagePanel filter={{ agent: agent.id }} />
        </div>
      </div>
      {note}
    </Page>
  )
}
