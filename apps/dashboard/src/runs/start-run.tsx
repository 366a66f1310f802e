import { Play } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { Button } from '../elements/button.tsx'

/** Most pages are left without it. */
const StartRunForm = lazy(async () => ({ default: (await import('./start-run-form.tsx')).StartRunForm }))

/** The button that starts a run by hand, and its form. */
export function StartRun({ agent }: { agent?: string }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button look="main" icon={<Play size={15} aria-hidden />} onClick={() => setOpen(true)}>
        Start a run
      </Button>
      {open && (
        <Suspense fallback={null}>
          <StartRunForm first={{ agent: agent ?? 'auto' }} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
