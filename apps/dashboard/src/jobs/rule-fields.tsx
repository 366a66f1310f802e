import type { Overlap, PermissionMode, RunRules, Trust } from '@baton/protocol'
import { DurationField } from '../elements/duration-field.tsx'
import { Field } from '../elements/field.tsx'
import { NumberField } from '../elements/number-field.tsx'
import type { JobDraft } from './job-draft.ts'

const OVERLAPS: Record<Overlap, string> = {
  queue: 'waits for it: one after the other',
  skip: 'is skipped, and says so',
  replace: 'stops the earlier one',
  coalesce: 'takes the place of one that still waits',
}

type RuleFieldsProps = {
  draft: Pick<JobDraft, 'rules' | 'concurrency'>
  onChange: (part: Partial<JobDraft>) => void
  problems: Record<string, string>
}

/** When and beside what its runs may start. */
export function RuleFields({ draft, onChange, problems }: RuleFieldsProps) {
  const { rules, concurrency } = draft
  const change = (part: Partial<RunRules>) => onChange({ rules: { ...rules, ...part } })
  return (
    <>
      <Field label="Firing again while an earlier run is not finished">
        <select
          className="field"
          value={rules.overlap}
          onChange={(event) => change({ overlap: event.target.value as Overlap })}
        >
          {Object.entries(OVERLAPS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Counted together by"
          hint="Runs with the same text here count as the same. Empty: all of the job."
          problem={problems['rules.concurrency.key']}
        >
          <input
            className="field font-mono text-[13px]"
            value={concurrency.key}
            placeholder="{{ payload.repository.full_name }}"
            onChange={(event) => onChange({ concurrency: { ...concurrency, key: event.target.value } })}
          />
        </Field>
        {concurrency.key.trim() !== '' && (
          <NumberField
            label="At once, for each"
            min={1}
            max={1_000}
            required
            value={concurrency.limit}
            onChange={(limit) => onChange({ concurrency: { ...concurrency, limit } })}
          />
        )}
        <Field
          label="Conversation"
          hint="Runs with the same text here go on with one conversation of the agent."
          problem={problems['rules.conversation']}
        >
          <input
            className="field font-mono text-[13px]"
            value={rules.conversation ?? ''}
            placeholder="issue-{{ payload.issue.number }}"
            onChange={(event) => change({ conversation: event.target.value || null })}
          />
        </Field>
        <NumberField
          label="Runs in an hour"
          min={1}
          placeholder="no limit"
          value={rules.perHour}
          problem={problems['rules.perHour']}
          onChange={(perHour) => change({ perHour })}
        />
        <NumberField
          label="Priority"
          min={-100}
          max={100}
          hint="Higher goes first on its machine."
          value={rules.priority}
          onChange={(priority) => change({ priority: priority ?? 0 })}
        />
        <DurationField
          label="Waits first"
          ms={rules.delayMs || null}
          problem={problems['rules.delayMs']}
          onChange={(delayMs) => change({ delayMs: delayMs ?? 0 })}
        />
        <DurationField
          label="Expires when nobody took it for"
          hint="Empty: it waits."
          ms={rules.ttlMs}
          problem={problems['rules.ttlMs']}
          onChange={(ttlMs) => change({ ttlMs })}
        />
        <DurationField
          label="Given up when its machine is away for"
          hint="Empty: it waits."
          ms={rules.stallMs}
          problem={problems['rules.stallMs']}
          onChange={(stallMs) => change({ stallMs })}
        />
      </div>
      <fieldset className="grid gap-4 sm:grid-cols-2">
        <legend className="mb-1 font-medium">What came from outside (webhooks, strangers’ comments)</legend>
        <Field label="Trusted like">
          <select
            className="field"
            value={rules.trust ?? ''}
            onChange={(event) => change({ trust: (event.target.value || null) as Trust | null })}
          >
            <option value="">a stranger: least power</option>
            <option value="member">a member, where the machine’s policy agrees</option>
          </select>
        </Field>
        <Field label="May">
          <select
            className="field"
            value={rules.publicMode ?? ''}
            onChange={(event) =>
              change({ publicMode: (event.target.value || null) as PermissionMode | null })
            }
          >
            <option value="">only read</option>
            <option value="edit">edit files, where the machine’s policy agrees</option>
            <option value="full">do everything, where the machine’s policy agrees</option>
          </select>
        </Field>
      </fieldset>
    </>
  )
}
