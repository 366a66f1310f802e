import type { ChangesSummary, RunView, UndoKind, UndoView } from '@baton/protocol'
import { Redo2, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { Client } from '../../api/client.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../elements/button.tsx'
import { Dialog, Problem } from '../../elements/dialog.tsx'
import { plural } from '../../elements/format.ts'

const ANSWER_WITHIN_MS = 30_000

/** Orders it and waits for the machine's word. An order that it has not answered comes back as `asked`. */
async function order(
  client: Client,
  input: { id: string; kind: UndoKind; dryRun: boolean },
): Promise<UndoView> {
  let undo = await client.runs.undo.mutate(input)
  const until = performance.now() + ANSWER_WITHIN_MS
  for (
    let pauseMs = 60;
    undo.state === 'asked' && performance.now() < until;
    pauseMs = Math.min(pauseMs * 1.5, 1_000)
  ) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    undo = await client.runs.getUndo.query({ undoId: undo.id })
  }
  return undo
}

/** Puts the workspace of a finished run back to before it, or forward again; what would happen is shown first. */
export function UndoRun({ run, changes }: { run: RunView; changes: ChangesSummary }) {
  const [asking, setAsking] = useState(false)
  const isUndone = run.undo?.kind === 'undo' && run.undo.state === 'done'
  const kind: UndoKind = isUndone ? 'redo' : 'undo'
  if (!changes.undoable) return null
  const waits = run.undo?.state === 'asked'
  return (
    <>
      <Button
        small
        disabled={waits}
        icon={isUndone ? <Redo2 size={14} aria-hidden /> : <Undo2 size={14} aria-hidden />}
        onClick={() => setAsking(true)}
      >
        {waits ? `Waiting for ${run.machine.name}…` : isUndone ? 'Undone; bring it back' : 'Undo'}
      </Button>
      {asking && <UndoDialog run={run} kind={kind} onClose={() => setAsking(false)} />}
    </>
  )
}

function UndoDialog({ run, kind, onClose }: { run: RunView; kind: UndoKind; onClose: () => void }) {
  const doing = kind === 'undo' ? 'undoing the run' : 'bringing the changes back'
  const look = useAction(`asking ${run.machine.name}`, order)
  const act = useAction(doing, order)
  const [planned, setPlanned] = useState<UndoView | null>(null)
  const [done, setDone] = useState<UndoView | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once, when the dialog opens.
  useEffect(() => look.start({ id: run.id, kind, dryRun: true }, setPlanned), [])
  const shown = done ?? planned
  return (
    <Dialog title={kind === 'undo' ? 'Put the workspace back?' : 'Bring the changes back?'} onClose={onClose}>
      <div className="space-y-3">
        {shown === null && look.problem === null && <p role="status">Asking {run.machine.name}…</p>}
        {shown && <Answer undo={shown} machine={run.machine.name} />}
        <Problem text={look.problem ?? act.problem} />
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose} data-focus>
            {done ? 'Close' : 'Keep it'}
          </Button>
          {!done && planned?.state === 'done' && (
            <Button
              look="danger"
              disabled={act.busy}
              onClick={() => act.start({ id: run.id, kind, dryRun: false }, setDone)}
            >
              {act.busy ? 'One moment…' : kind === 'undo' ? 'Put it back' : 'Bring it back'}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  )
}

function Answer({ undo, machine }: { undo: UndoView; machine: string }) {
  if (undo.state === 'asked')
    return <p role="status">{machine} has not answered. It carries this out when it is back.</p>
  return (
    <div className="space-y-2">
      <p role="status" className={undo.state === 'refused' ? 'text-bad' : ''}>
        {undo.message}
      </p>
      <Paths items={undo.blocked.map(({ path, why }) => `${path}: ${why}`)} />
      <Paths items={undo.files} />
    </div>
  )
}

const SHOWN = 50

function Paths({ items }: { items: string[] }) {
  if (items.length === 0) return null
  return (
    <ul className="max-h-56 overflow-auto rounded-lg border border-line bg-sunk px-3 py-2 font-mono text-xs break-all">
      {items.slice(0, SHOWN).map((item) => (
        <li key={item}>{item}</li>
      ))}
      {items.length > SHOWN && <li className="text-soft">and {plural(items.length - SHOWN, 'more')}</li>}
    </ul>
  )
}
