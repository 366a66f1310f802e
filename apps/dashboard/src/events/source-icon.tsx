import type { EventSource } from '@baton/protocol'
import {
  CalendarClock,
  FileText,
  GitBranch,
  GitPullRequest,
  Hand,
  type LucideIcon,
  MessageSquare,
  Timer,
  Webhook,
} from 'lucide-react'

const ICONS: Record<EventSource, LucideIcon> = {
  webhook: Webhook,
  manual: Hand,
  cron: CalendarClock,
  interval: Timer,
  file_change: FileText,
  git_push: GitBranch,
  github: GitPullRequest,
  message: MessageSquare,
}

/** What an event came from, for the eye; the title beside it says it in words. */
export function SourceIcon({ source }: { source: EventSource }) {
  const Icon = ICONS[source]
  return <Icon size={17} aria-hidden className="shrink-0 text-soft" />
}
