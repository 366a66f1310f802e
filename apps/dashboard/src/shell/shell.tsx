import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { Keyboard, LogOut, Search } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useLiveChanges } from '../api/live-changes.ts'
import { usePollWhileOffline } from '../api/poll-while-offline.ts'
import { meQuery } from '../api/queries.ts'
import { useApprovalTitle } from '../approvals/approval-dot.tsx'
import { IconButton } from '../elements/button.tsx'
import { ConnectionPill } from './connection-pill.tsx'
import { PLACES, Rail, TabBar } from './navigation.tsx'
import { useShortcuts } from './shortcuts.ts'
import { ThemeToggle } from './theme-toggle.tsx'
import { usePageChange } from './use-page-change.ts'

const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }))
const ShortcutSheet = lazy(async () => ({ default: (await import('./shortcut-sheet.tsx')).ShortcutSheet }))

/** What stands around every page: where to go, whether it is live, the theme and the sheet of shortcuts. */
export function Shell() {
  useLiveChanges()
  usePollWhileOffline()
  useApprovalTitle()
  usePageChange()
  const [over, setOver] = useState<'sheet' | 'palette' | null>(null)
  usePaletteKey(() => setOver('palette'))
  const navigate = useNavigate()
  useShortcuts({
    '?': () => setOver('sheet'),
    ...Object.fromEntries(PLACES.map(({ key, to }) => [`g ${key}`, () => void navigate({ to })])),
  })
  return (
    <div className="flex h-full flex-col md:flex-row">
      <a
        href="#main"
        className="absolute -top-12 left-2 z-50 rounded-lg bg-accent px-3 py-2 text-on-accent focus:top-2"
      >
        Skip to the page
      </a>
      <aside className="hidden w-52 shrink-0 flex-col gap-5 border-r border-line bg-card px-3 py-4 md:flex">
        <Brand />
        <Rail />
        <div className="mt-auto space-y-3">
          <ConnectionPill />
          <div className="-mx-1 flex">
            <Tools onSheet={() => setOver('sheet')} onFind={() => setOver('palette')} />
          </div>
          <Who />
        </div>
      </aside>
      <header className="flex items-center justify-between gap-2 border-b border-line bg-card px-3 py-1.5 md:hidden">
        <Brand />
        <div className="flex items-center">
          <ConnectionPill />
          <FindButton onFind={() => setOver('palette')} />
          <ThemeToggle />
          <SignOut />
        </div>
      </header>
      <main
        id="main"
        data-scroll-restoration-id="main"
        tabIndex={-1}
        className="min-h-0 min-w-0 flex-1 overflow-y-auto outline-none"
      >
        <Outlet />
      </main>
      <TabBar />
      <Suspense fallback={null}>
        {over === 'sheet' && <ShortcutSheet onClose={() => setOver(null)} />}
        {over === 'palette' && <Palette onClose={() => setOver(null)} />}
      </Suspense>
    </div>
  )
}

function Brand() {
  return (
    <Link
      to="/"
      className="flex min-h-9 items-center gap-2 rounded-lg px-1.5 text-base font-semibold tracking-tight"
    >
      <img src="/baton.svg" alt="" width="24" height="24" />
      Baton
    </Link>
  )
}

function Tools({ onSheet, onFind }: { onSheet: () => void; onFind: () => void }) {
  return (
    <>
      <FindButton onFind={onFind} />
      <ThemeToggle />
      <IconButton label="Keyboard shortcuts" icon={<Keyboard size={17} aria-hidden />} onClick={onSheet} />
      <SignOut />
    </>
  )
}

function FindButton({ onFind }: { onFind: () => void }) {
  return <IconButton label="Go to (Ctrl K)" icon={<Search size={17} aria-hidden />} onClick={onFind} />
}

/** Also while a person types: that is where it is wanted. */
function usePaletteKey(open: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.shiftKey
      )
        return
      event.preventDefault()
      if (document.querySelector('dialog[open]') === null) open()
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  })
}

/** After signing out the page loads afresh, so that nothing of the old session stays in memory. */
function SignOut() {
  const { client } = useApi()
  const leave = () => client.auth.signOut.mutate().finally(() => window.location.assign('/'))
  return <IconButton label="Sign out" icon={<LogOut size={17} aria-hidden />} onClick={() => void leave()} />
}

function Who() {
  const { client } = useApi()
  const me = useQuery(meQuery(client))
  if (me.data === undefined) return null
  const { user, organization, relayVersion } = me.data
  return (
    <p className="truncate px-1.5 text-xs text-soft" title={`Relay ${relayVersion}`}>
      {user.name} · {organization.name}
    </p>
  )
}
