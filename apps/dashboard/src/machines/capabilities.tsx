import type { Capability } from '@baton/protocol'

const WORDS: Record<Capability, string> = {
  resume: 'goes on with a conversation',
  cancel: 'can be stopped',
  steer: 'can be told something while it works',
  interrupt: 'can be interrupted',
  approvals: 'asks before it acts',
  usage: 'tells its tokens',
  cost: 'tells its cost',
  model: 'model can be chosen',
  tool_allow_list: 'tools can be allowed one by one',
  instructions: 'takes instructions',
}

/** What a program can do, as chips; each says more when it is pointed at. */
export function Capabilities({ of }: { of: readonly Capability[] }) {
  if (of.length === 0) return null
  return (
    <ul aria-label="What it can do" className="flex flex-wrap gap-1">
      {of.map((capability) => (
        <li
          key={capability}
          title={WORDS[capability]}
          className="rounded-full bg-sunk px-2 py-0.5 text-xs text-soft"
        >
          {capability.replaceAll('_', ' ')}
        </li>
      ))}
    </ul>
  )
}
