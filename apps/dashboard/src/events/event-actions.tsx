import type { EventDetail } from '@baton/protocol'
import { useNavigate } from '@tanstack/react-router'
import { Download, Pencil, RotateCcw, Terminal } from 'lucide-react'
import { useState } from 'react'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { copyText } from '../elements/copy-text.ts'
import { Problem } from '../elements/dialog.tsx'
import { Menu, MenuItem } from '../elements/menu.tsx'
import { EditReplay } from './edit-replay.tsx'

/** What can be done with an event: replay it, as it was or changed; take it along. */
export function EventActions({ event }: { event: EventDetail }) {
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  const [said, setSaid] = useState<string | null>(null)
  const replay = useAction('replaying the event', (api, id: EventDetail['id']) =>
    api.events.replay.mutate({ id, idempotencyKey: randomKey() }),
  )
  const take = useAction('reading the event', (api, format: 'curl' | 'fixture') =>
    api.events.exportAs.query({ id: event.id, format }),
  )
  return (
    <>
      {event.job !== null && (
        <>
          <Button
            icon={<RotateCcw size={15} aria-hidden />}
            disabled={replay.busy}
            onClick={() =>
              replay.start(event.id, ({ eventId, deliveries }) => {
                const runId = deliveries[0]?.runId
                if (runId) void navigate({ to: '/runs/$runId', params: { runId } })
                else void navigate({ to: '/events/$event', params: { event: eventId } })
              })
            }
          >
            Replay
          </Button>
          {event.bodyEncoding === 'text' && (
            <Button icon={<Pencil size={15} aria-hidden />} onClick={() => setEditing(true)}>
              Edit and replay
            </Button>
          )}
        </>
      )}
      <Menu label={said ?? 'Take it along'} icon={<Terminal size={15} aria-hidden />}>
        <MenuItem
          onClick={() =>
            take.start(
              'curl',
              ({ text }) =>
                void copyText(text).then((copied) => setSaid(copied ? 'Copied' : 'Could not copy')),
            )
          }
        >
          Copy as curl
        </MenuItem>
        <MenuItem onClick={() => take.start('fixture', saveFile)}>
          <Download size={15} aria-hidden />
          Download as a fixture
        </MenuItem>
      </Menu>
      <Problem text={replay.problem ?? take.problem} />
      {editing && <EditReplay event={event} onClose={() => setEditing(false)} />}
    </>
  )
}

function saveFile({ fileName, text }: { fileName: string; text: string }): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = Object.assign(document.createElement('a'), { href: url, download: fileName })
  link.click()
  URL.revokeObjectURL(url)
}
