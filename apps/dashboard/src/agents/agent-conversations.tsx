import type { AgentSessionView, AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { batonCommand, shellWord } from '../elements/command-line.ts'
import { CopyButton } from '../elements/copy-button.tsx'
import { ConfirmDialog } from '../elements/dialog.tsx'
import { Section } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { conversationsQuery } from './agent-queries.ts'

/** The conversations that it can go on with; nothing is shown while there is none. */
export function AgentConversations({ agent }: { agent: AgentView }) {
  const { client, origin } = useApi()
  const conversations = useQuery(conversationsQuery(client, agent.key))
  const [forgetting, setForgetting] = useState<AgentSessionView | null>(null)
  const forget = useAction('forgetting the conversation', (api, conversation: string) =>
    api.sessions.forget.mutate({ agent: agent.key, conversation }),
  )
  const all = conversations.data ?? []
  if (all.length === 0) return null
  return (
    <Section title="Conversations">
      <ul aria-label="Conversations" className="card divide-y divide-line">
        {all.map((one) => (
          <li key={one.conversation} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
            <span className="min-w-0 flex-1 basis-48">
              <span className="font-medium break-all">{one.conversation}</span>{' '}
              <span className="block truncate font-mono text-xs text-soft">{one.sessionId}</span>
            </span>
            <span className="text-[13px] text-soft">
              <Ago at={one.updatedAt} />
            </span>
            <CopyButton
              bare
              label="Copy a command"
              text={batonCommand(origin, `run --continue ${shellWord(one.conversation)} "Go on"`)}
            />
            <Button small look="bareDanger" onClick={() => setForgetting(one)}>
              Forget…
            </Button>
          </li>
        ))}
      </ul>
      {forgetting && (
        <ConfirmDialog
          title={`Forget ${forgetting.conversation}?`}
          confirm="Forget it"
          busy={forget.busy}
          problem={forget.problem}
          onConfirm={() => forget.start(forgetting.conversation, () => setForgetting(null))}
          onClose={() => setForgetting(null)}
        >
          <p>Its next run starts afresh. What the program itself keeps stays on {agent.machine.name}.</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}
