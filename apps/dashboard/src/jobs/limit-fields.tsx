import type { RunLimits } from '@baton/protocol'
import { DurationField } from '../elements/duration-field.tsx'
import { Check } from '../elements/field.tsx'
import { NumberField } from '../elements/number-field.tsx'

type LimitFieldsProps = {
  limits: RunLimits
  onChange: (part: Partial<RunLimits>) => void
  problems: Record<string, string>
}

/** When a run is ended, and how often it is tried. */
export function LimitFields({ limits, onChange, problems }: LimitFieldsProps) {
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <DurationField
          label="Ended after silence of"
          hint="Empty: silence never ends it."
          ms={limits.silenceMs}
          problem={problems['limits.silenceMs']}
          onChange={(silenceMs) => onChange({ silenceMs })}
        />
        <DurationField
          label="Ended after, in all"
          hint="Empty: no limit."
          ms={limits.wallMs}
          problem={problems['limits.wallMs']}
          onChange={(wallMs) => onChange({ wallMs })}
        />
      </div>
      <Check
        label="Running it twice does no harm"
        hint="Only then a run that was lost or failed is tried again by itself."
        on={limits.repeatable}
        onChange={(repeatable) => onChange({ repeatable })}
      />
      {limits.repeatable && (
        <NumberField
          label="Tried at most"
          required
          min={1}
          max={20}
          value={limits.maxAttempts}
          problem={problems['limits.maxAttempts']}
          onChange={(maxAttempts) => onChange({ maxAttempts: maxAttempts ?? 1 })}
        />
      )}
    </>
  )
}
