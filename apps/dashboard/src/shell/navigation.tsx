import { Link } from '@tanstack/react-router'
import { Activity, GitPullRequest, House, Inbox, Monitor, Repeat } from 'lucide-react'
import { ApprovalDot } from '../approvals/approval-dot.tsx'

export const PLACES = [
  { to: '/', label: 'Overview', key: 'o', icon: House },
  { to: '/runs', label: 'Runs', key: 'r', icon: Activity },
  { to: '/jobs', label: 'Jobs', key: 'j', icon: Repeat },
  { to: '/machines', label: 'Machines', key: 'm', icon: Monitor },
  { to: '/events', label: 'Events', key: 'e', icon: Inbox },
  { to: '/integrations/github', label: 'GitHub', key: 'h', icon: GitPullRequest },
] as const

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
  return (
    <nav
      aria-label="Main"
      className="grid grid-cols-6 border-t border-line bg-card pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {PLACES.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/' }}
          className="flex min-h-14 flex-col items-center justify-center gap-0.5 text-[11px] font-medium text-soft aria-[current=page]:text-accent"
        >
          <span className="relative">
            <Icon size={20} aria-hidden />
            {to === '/' && <ApprovalDot className="absolute -top-2 left-3" />}
          </span>
          {label}
        </Link>
      ))}
    </nav>
  )
}
