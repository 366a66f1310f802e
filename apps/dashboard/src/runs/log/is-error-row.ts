import type { LogRow } from './rows.ts'

/** An explicit failure, or a line that says so itself. */
export function isErrorRow(row: LogRow): boolean {
  if (row.kind === 'tool') return row.finish?.ok === false
  if (row.kind === 'line') return ERROR_LINE.test(row.text)
  if (row.kind !== 'note') return false
  const { event } = row
  if (event.type === 'finished') return event.state !== 'succeeded'
  return event.type === 'permission_denied' || event.type === 'killed'
}

const ERROR_LINE = /\b(?:error|fatal|panic|exception|traceback)\b\s*[:[(!]|\bERR!|^\s*(?:✕|✗)\s/i
