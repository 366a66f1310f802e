/** "340 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h": two parts at most. */
export function formatDuration(ms: number): string {
  const positive = Math.max(0, ms)
  if (positive < 1_000) return `${Math.round(positive)} ms`
  if (positive < 59_500) return `${(positive / 1_000).toFixed(positive < 9_950 ? 1 : 0)} s`
  const seconds = Math.round(positive / 1_000)
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0)
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ')
}

/** "just now", "12 s ago", "5 min ago", "3 h ago", "2 d ago", then the date. */
export function formatAgo(at: number, now: number): string {
  const ms = now - at
  if (ms < 5_000) return 'just now'
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s ago`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`
  if (ms < 7 * 86_400_000) return `${Math.floor(ms / 86_400_000)} d ago`
  return new Date(at).toLocaleDateString(undefined, { year: 'numeric', month: 'short', day: 'numeric' })
}

/** "Today", "Yesterday", else the day of the week with its date. */
export function formatDay(at: number, now = Date.now()): string {
  const day = new Date(at).toDateString()
  if (day === new Date(now).toDateString()) return 'Today'
  if (day === new Date(now - 86_400_000).toDateString()) return 'Yesterday'
  return new Date(at).toLocaleDateString(undefined, { weekday: 'short', day: 'numeric', month: 'short' })
}

/** The whole time with its zone, for hovering. */
export function formatMoment(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
}

/** "19:00, in 1 h 10 min", with its day when that is another one. */
export function formatSoon(at: number, now: number): string {
  const day = new Date(at).toDateString() === new Date(now).toDateString() ? '' : `${formatDay(at, now)} `
  const away = at > now ? `, in ${formatDuration(at - now)}` : `, ${formatAgo(at, now)}`
  return `${day}${formatClock(at)}${away}`
}

export function formatClock(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
}

/** "12:04:31.250": the time of one line. */
export function formatInstant(at: number): string {
  const time = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const millis = String(time.getMilliseconds()).padStart(3, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${millis}`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_024 ** 2) return `${(bytes / 1_024).toFixed(1)} KiB`
  if (bytes < 1_024 ** 3) return `${(bytes / 1_024 ** 2).toFixed(1)} MiB`
  return `${(bytes / 1_024 ** 3).toFixed(1)} GiB`
}

export const formatCount = (count: number) => count.toLocaleString('en-US')

/** "1 machine", "3 machines". */
export const plural = (count: number, word: string) =>
  `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`

/** The end of an id is what differs between two made in the same minute. */
export const shortId = (id: string) => `${id.slice(0, 4)}…${id.slice(-6)}`
