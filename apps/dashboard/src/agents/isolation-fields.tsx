import type { AgentIsolation } from '@baton/protocol'
import { Check, Field } from '../elements/field.tsx'
import { NumberField } from '../elements/number-field.tsx'
import type { AgentDraft } from './agent-draft.ts'

const KINDS: Record<AgentIsolation['kind'], string> = {
  host: 'nothing: it runs as the runner does',
  bubblewrap: 'a light sandbox: only its workspace can be written (Linux)',
  container: 'a container',
}

type IsolationFieldsProps = {
  draft: AgentDraft
  onChange: (part: Partial<AgentDraft>) => void
  problems: Record<string, string>
}

/** What keeps an agent from the rest of its machine. The machine’s policy must allow it. */
export function IsolationFields({ draft, onChange, problems }: IsolationFieldsProps) {
  const { container } = draft
  const change = (part: Partial<AgentDraft['container']>) =>
    onChange({ container: { ...container, ...part } })
  return (
    <>
      <Field label="Kept apart by">
        <select
          className="field"
          value={draft.isolation}
          onChange={(event) => onChange({ isolation: event.target.value as AgentIsolation['kind'] })}
        >
          {Object.entries(KINDS).map(([kind, words]) => (
            <option key={kind} value={kind}>
              {words}
            </option>
          ))}
        </select>
      </Field>
      {draft.isolation === 'bubblewrap' && (
        <Check
          label="With network"
          on={draft.sandboxNetwork}
          onChange={(sandboxNetwork) => onChange({ sandboxNetwork })}
        />
      )}
      {draft.isolation === 'container' && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Image" problem={problems['isolation.image']}>
            <input
              className="field font-mono"
              required
              placeholder="node:24"
              value={container.image}
              onChange={(event) => change({ image: event.target.value })}
            />
          </Field>
          <Field label="Engine">
            <select
              className="field"
              value={container.engine}
              onChange={(event) => change({ engine: event.target.value as typeof container.engine })}
            >
              <option value="auto">the one that is there</option>
              <option value="docker">Docker</option>
              <option value="podman">Podman</option>
            </select>
          </Field>
          <NumberField
            label="Memory (MiB)"
            required
            min={64}
            value={container.memoryMb}
            problem={problems['isolation.memoryMb']}
            onChange={(memoryMb) => change({ memoryMb: memoryMb ?? 4_096 })}
          />
          <NumberField
            label="CPUs"
            required
            min={0.1}
            step="any"
            value={container.cpus}
            onChange={(cpus) => change({ cpus: cpus ?? 2 })}
          />
          <NumberField
            label="Processes"
            required
            min={16}
            value={container.pids}
            onChange={(pids) => change({ pids: pids ?? 512 })}
          />
          <Field
            label="Network"
            hint="none, bridge, or one that exists there"
            problem={problems['isolation.network']}
          >
            <input
              className="field font-mono"
              required
              value={container.network}
              onChange={(event) => change({ network: event.target.value })}
            />
          </Field>
        </div>
      )}
    </>
  )
}
