import { JOB_TEMPLATES, type JobTemplate } from './job-templates.ts'

/** Beginnings for a new job; each fills the form, and all of it can be changed. */
export function TemplateChoice({ onPick }: { onPick: (template: JobTemplate) => void }) {
  return (
    <section aria-label="Begin with" className="mb-6 max-w-3xl">
      <h2 className="mb-2 font-medium">Begin with</h2>
      <ul className="grid grid-cols-2 gap-2 lg:grid-cols-3">
        {JOB_TEMPLATES.map((template) => (
          <li key={template.name}>
            <button
              type="button"
              className="h-full w-full rounded-xl border border-line bg-card px-3 py-2.5 text-left hover:border-accent hover:bg-hover"
              onClick={() => onPick(template)}
            >
              <span className="block font-medium">{template.name}</span>
              <span className="block text-[13px] text-soft max-sm:sr-only">{template.what}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
