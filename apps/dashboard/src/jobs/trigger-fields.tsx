import { WEBHOOK_SCHEMES, type WebhookScheme } from '@baton/protocol'
import { DurationField } from '../elements/duration-field.tsx'
import { Check, Field } from '../elements/field.tsx'
import { FilterFields } from './filter-fields.tsx'
import { GithubTriggerFields } from './github-trigger-fields.tsx'
import { NextFires } from './next-fires.tsx'
import { TextField, type TriggerFieldsProps } from './trigger-text-field.tsx'
import { SCHEME_WORDS } from './trigger-words.ts'

/** What one kind of trigger needs to know. */
export function TriggerFields(props: TriggerFieldsProps) {
  switch (props.draft.kind) {
    case 'webhook':
      return <WebhookFields {...props} />
    case 'cron':
      return <CronFields {...props} />
    case 'interval':
      return <IntervalFields {...props} />
    case 'file_change':
      return <FileFields {...props} />
    case 'git_push':
      return (
        <>
          <TextField
            {...props}
            name="branches"
            label="Branches"
            required
            hint="Globs, with commas between."
          />
          <p className="text-[13px] text-soft">
            Once it is saved, its page shows the command that puts the hook into a repository.
          </p>
        </>
      )
    case 'github':
      return <GithubTriggerFields {...props} />
  }
}

function WebhookFields(props: TriggerFieldsProps) {
  const { draft, onChange, problems, stored } = props
  return (
    <>
      {!stored && (
        <>
          <Field label="The sender proves itself">
            <select
              className="field"
              value={draft.scheme}
              onChange={(event) => onChange({ scheme: event.target.value as WebhookScheme })}
            >
              {WEBHOOK_SCHEMES.map((scheme) => (
                <option key={scheme} value={scheme}>
                  {SCHEME_WORDS[scheme]}
                </option>
              ))}
            </select>
          </Field>
          <TextField
            {...props}
            name="path"
            label="Path"
            className="field font-mono"
            pattern="[A-Za-z0-9_\-]{1,100}"
            title="Letters, digits, dashes and underscores"
            hint="The end of the address. Empty: one is made that nobody can guess."
          />
        </>
      )}
      {draft.scheme === 'none' && (
        <Check
          label="Anybody who knows the address may fire this job"
          hint="Only for jobs of an agent that runs a fixed command."
          on={draft.acceptUnsigned}
          onChange={(acceptUnsigned) => onChange({ acceptUnsigned })}
        />
      )}
      <FilterFields
        filters={draft.filters}
        onChange={(filters) => onChange({ filters })}
        problems={problems}
      />
    </>
  )
}

function CronFields(props: TriggerFieldsProps) {
  const { draft } = props
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          {...props}
          name="expression"
          label="Cron expression"
          required
          className="field font-mono"
          hint="minute hour day month weekday, or @daily"
        />
        <TextField {...props} name="zone" label="Time zone" required list="time-zones" />
        <datalist id="time-zones">
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </div>
      {draft.expression.trim() && draft.zone.trim() && (
        <NextFires schedule={{ expression: draft.expression.trim(), zone: draft.zone.trim() }} />
      )}
      <MisfireField {...props} />
    </>
  )
}

function IntervalFields(props: TriggerFieldsProps) {
  const { draft, onChange, problems } = props
  return (
    <>
      <DurationField
        label="Every"
        required
        ms={draft.everyMs}
        problem={problems.everyMs}
        onChange={(everyMs) => onChange({ everyMs })}
      />
      <MisfireField {...props} />
    </>
  )
}

const MISFIRES = {
  none: 'nothing: missed times stay missed',
  last: 'the last one is made up for',
  all: 'the newest of them are made up for',
}

function MisfireField({ draft, onChange }: TriggerFieldsProps) {
  const { policy, max } = draft.misfire
  return (
    <div className="flex flex-wrap gap-4">
      <Field label="After the relay was down">
        <select
          className="field w-auto"
          value={policy}
          onChange={(event) =>
            onChange({ misfire: { policy: event.target.value as keyof typeof MISFIRES, max } })
          }
        >
          {Object.entries(MISFIRES).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      {policy === 'all' && (
        <Field label="At most">
          <input
            className="field w-24"
            type="number"
            min={1}
            max={100}
            value={max}
            onChange={(event) => onChange({ misfire: { policy, max: Number(event.target.value) } })}
          />
        </Field>
      )}
    </div>
  )
}

function FileFields(props: TriggerFieldsProps) {
  const { draft, onChange, problems } = props
  return (
    <>
      <TextField
        {...props}
        name="folder"
        label="Folder on the agent’s machine"
        required
        className="field font-mono"
        placeholder="~/notes"
        hint="Absolute, or beginning with ~/. The machine’s policy must allow it."
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField {...props} name="globs" label="Files" required hint="Globs, with commas between." />
        <TextField {...props} name="ignore" label="Not these" />
      </div>
      <DurationField
        label="Fires when nothing changed for"
        required
        ms={draft.quietMs}
        problem={problems.quietMs}
        onChange={(quietMs) => onChange({ quietMs })}
      />
    </>
  )
}
