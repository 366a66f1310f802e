/**
 * Replaces what differs between two recordings of one situation: paths of this machine, the port, random ids (by the
 * order in which they come), times and durations. What is left is the same each time, so a difference is a real one.
 */
export function neutralWords(home: string, modelUrl: string): (text: string) => string {
  const ids = new Map<string, string>()
  const numbered = (id: string, write: (n: number) => string) => {
    const known = ids.get(id) ?? write(ids.size + 1)
    ids.set(id, known)
    return known
  }
  return (text) => {
    for (const [, task] of text.matchAll(/"(?:task_id|agent_id|run_id|runId)":"([\w-]+)"/g)) {
      if (task) numbered(task, (n) => `task-${n}`)
    }
    const plain = text
      .replaceAll(home, '/home/dev')
      .replaceAll(home.replaceAll(/[^A-Za-z0-9]/g, '-'), '-home-dev')
      .replaceAll(/tmp-[A-Za-z0-9]{6}\b/g, 'tmp')
      .replaceAll(/\bclaude-\d+\b(?=\/)/g, 'claude-1000')
      .replaceAll(new URL(modelUrl).host, '127.0.0.1:8089')
      .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, (id) =>
        id.startsWith('018f3c5e')
          ? id
          : numbered(id, (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`),
      )
      .replaceAll(/\b(msg|req|sig|toolu|toolu_aid)_[0-9a-f]{32}\b/g, (id, kind) =>
        numbered(id, (n) => `${kind}_${String(n).padStart(4, '0')}`),
      )
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '2026-11-20T10:00:00.000Z')
      .replaceAll(/"(\w*_ms|pid|end_time)":[\d.]+/g, '"$1":100')
      .replaceAll(/(duration_ms: |"totalDurationMs":)\d+/g, '$1100')
      .replaceAll(/cc-socks\/\d+/g, 'cc-socks/100')
    return [...ids]
      .filter(([, name]) => name.startsWith('task-'))
      .reduce((line, [task, name]) => line.replaceAll(task, name), plain)
  }
}
