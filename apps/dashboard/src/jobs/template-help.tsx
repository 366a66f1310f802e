/** The values that a prompt can name, as the relay knows them, with what each is. */
const NAMES: [name: string, what: string][] = [
  ['payload.ref', 'any value of what was sent, by its path'],
  ['payload | json', 'all of it, as JSON'],
  ['payload.title | default: "none"', 'a text where the value is missing'],
  ['event.id', 'the id of the event'],
  ['event.source', 'webhook, manual, cron, …'],
  ['event.headers.x-github-event', 'a header of the request'],
  ['job.name', 'the name of this job, also job.key'],
  ['fire.at', 'schedules: the time, also fire.zone, fire.late, fire.missed'],
  ['changes.paths', 'changed files: which, also changes.count, changes.folder'],
  ['push.branch', 'git pushes: where to, also push.commits, push.after, push.repository'],
]

/** What can stand in a prompt; a click puts it at its end. */
export function TemplateHelp({ onPick }: { onPick: (name: string) => void }) {
  return (
    <details className="text-[13px]">
      <summary className="inline-flex min-h-6 items-center font-medium text-accent">
        Values for the prompt
      </summary>
      <ul className="mt-1 grid gap-x-6 gap-y-0.5 sm:grid-cols-2">
        {NAMES.map(([name, what]) => (
          <li key={name}>
            <button
              type="button"
              className="min-h-6 max-w-full rounded text-left hover:bg-hover"
              onClick={() => onPick(name)}
            >
              <code className="font-mono break-all text-accent">{`{{ ${name} }}`}</code>{' '}
              <span className="text-soft">{what}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  )
}
