import { Search } from 'lucide-react'
import { formatCount } from './format.ts'

type FindBoxProps = { label: string; text: string; count: number; onChange: (text: string) => void }

/** Narrows a list that is all there; says how much is left of it. */
export function FindBox({ label, text, count, onChange }: FindBoxProps) {
  return (
    <search className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1">
      <label className="relative w-full sm:w-72">
        <span className="sr-only">{label}</span>
        <Search size={15} aria-hidden className="absolute top-1/2 left-2.5 -translate-y-1/2 text-soft" />
        <input
          type="search"
          className="field pl-8"
          placeholder={label}
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      </label>
      <span role="status" className="text-[13px] text-soft">
        {text !== '' && `${formatCount(count)} found`}
      </span>
    </search>
  )
}

/** Whether every word that was typed stands in one of the texts. */
export function fits(text: string, texts: readonly string[]): boolean {
  const all = texts.join(' ').toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}
