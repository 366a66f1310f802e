import { Link } from '@tanstack/react-router'
import {
  Activity,
  Bot,
  ChartColumn,
  Ellipsis,
  GitPullRequest,
  House,
  Inbox,
  KeyRound,
  Monitor,
  Repeat,
} from 'lucide-react'
import { useId, useRef } from 'react'
import { ApprovalDot } from '../approvals/approval-dot.tsx'

export const PLACES = [
  { to: '/', label: 'Overview', key: 'o', icon: House },
  { to: '/runs', label: 'Runs', key: 'r', icon: Activity },
  { to: '/jobs', label: 'Jobs', key: 'j', icon: Repeat },
  { to: '/events', label: 'Events', key: 'e', icon: Inbox },
  { to: '/agents', label: 'Agents', key: 'a', icon: Bot },
  { to: '/machines', label: 'Machines', key: 'm', icon: Monitor },
  { to: '/usage', label: 'Usage', key: 'u', icon: ChartColumn },
  { to: '/integrations/github', label: 'GitHub', key: 'h', icon: GitPullRequest },
  { to: '/tokens', label: 'API tokens', key: 'k', icon: KeyRound },
] as const

/** How many of them stand in the bar of phones; the others are behind its last button. */
const IN_BAR = 4

/** The rail of wide screens. */
export function Rail() {
  return (
    <nav aria-label="Main" className="flex flex-col gap-0.5">
      {PLACES.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/' }}
          className="flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 font-medium text-soft hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
        >
          <Icon size={17} aria-hidden />
          {label}
          {to === '/' && <ApprovalDot className="ml-auto" />}
        </Link>
      ))}
    </nav>
  )
}

/** The bar at the bottom of phones. */
export function TabBar() {
  const more = useId()
  const list = useRef<HTMLDivElement>(null)
  return (
    <nav
      aria-label="Main"
      className="grid grid-cols-5 border-t border-line bg-card pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {PLACES.slice(0, IN_BAR).map(({ to, label, icon: Icon }) => (
        <Link key={to} to={to} activeOptions={{ exact: to === '/' }} className={TAB}>
          <span className="relative">
            <Icon size={20} aria-hidden />
            {to === '/' && <ApprovalDot className="absolute -top-2 left-3" />}
          </span>
          {label}
        </Link>
      ))}
      <button type="button" popoverTarget={more} className={TAB}>
        <Ellipsis size={20} aria-hidden />
        More
      </button>
      <div
        ref={list}
        id={more}
        popover="auto"
        className="inset-auto right-2 bottom-[calc(4rem+env(safe-area-inset-bottom))] m-0 min-w-48 rounded-xl border border-line bg-card p-1 text-ink shadow-xl"
      >
        {PLACES.slice(IN_BAR).map(({ to, label, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            onClick={() => list.current?.hidePopover()}
            className="flex min-h-11 items-center gap-3 rounded-lg px-3 font-medium hover:bg-hover aria-[current=page]:text-accent"
          >
            <Icon size={18} aria-hidden />
            {label}
          </Link>
        ))}
      </div>
    </nav>
  )
}

const TAB =
  'flex min-h-14 flex-col items-center justify-center gap-0.5 text-[11px] font-medium text-soft aria-[current=page]:text-accent'
