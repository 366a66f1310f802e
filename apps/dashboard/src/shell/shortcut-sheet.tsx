import { useState } from 'react'
import { Dialog } from '../elements/dialog.tsx'
import { PLACES } from './navigation.tsx'
import { shortcutsAreOn, switchShortcuts } from './shortcuts.ts'

const GROUPS: { title: string; keys: [string, string][] }[] = [
  { title: 'Go to', keys: PLACES.map(({ key, label }): [string, string] => [`g ${key}`, label]) },
  {
    title: 'Lists',
    keys: [
      ['j', 'Next row'],
      ['k', 'Previous row'],
      ['Enter', 'Open the row'],
    ],
  },
  {
    title: 'Log',
    keys: [
      ['/', 'Search the log'],
      ['f', 'Follow new lines'],
      ['n', 'Next error'],
      ['p', 'Previous error'],
      ['w', 'Wrap long lines'],
      ['t', 'Show times'],
      ['Shift G', 'Jump to the latest line'],
    ],
  },
  {
    title: 'Anywhere',
    keys: [
      ['Ctrl K', 'Go to a page, job, agent, machine or id'],
      ['?', 'This sheet'],
    ],
  },
]

export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(shortcutsAreOn)
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} wide>
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {GROUPS.map(({ title, keys }) => (
          <section key={title}>
            <h3 className="mb-1.5 text-[13px] font-semibold text-soft">{title}</h3>
            <dl className="space-y-1">
              {keys.map(([key, what]) => (
                <div key={key} className="flex items-center justify-between gap-4">
                  <dt>{what}</dt>
                  <dd className="flex gap-1">
                    {key.split(' ').map((part) => (
                      <kbd
                        key={part}
                        className="rounded-md border border-line bg-sunk px-1.5 py-0.5 font-mono text-xs"
                      >
                        {part}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="mt-5 flex min-h-9 items-center gap-2 border-t border-line pt-4">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={on}
          onChange={(event) => {
            setOn(event.target.checked)
            switchShortcuts(event.target.checked)
          }}
        />
        Single-key shortcuts are on
      </label>
    </Dialog>
  )
}
