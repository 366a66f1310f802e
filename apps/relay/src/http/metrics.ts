/** Counts of this process since it started, in the Prometheus text format. */
export type Metrics = {
  countHook(status: number): void
  render(gauges: { sockets: number; runners: number; deleted: Record<string, number> }): string
}

export function createMetrics(): Metrics {
  const hooks = new Map<number, number>()
  return {
    countHook: (status) => void hooks.set(status, (hooks.get(status) ?? 0) + 1),
    render({ sockets, runners, deleted }) {
      const memory = process.memoryUsage()
      const lines = [
        '# TYPE baton_hook_answers_total counter',
        ...[...hooks].map(([status, count]) => `baton_hook_answers_total{status="${status}"} ${count}`),
        '# TYPE baton_deleted_total counter',
        ...Object.entries(deleted).map(([kind, count]) => `baton_deleted_total{kind="${kind}"} ${count}`),
        '# TYPE baton_sockets gauge',
        `baton_sockets ${sockets}`,
        '# TYPE baton_runner_sessions gauge',
        `baton_runner_sessions ${runners}`,
        '# TYPE process_resident_memory_bytes gauge',
        `process_resident_memory_bytes ${memory.rss}`,
        '# TYPE process_start_time_seconds gauge',
        `process_start_time_seconds ${Math.round(Date.now() / 1000 - process.uptime())}`,
      ]
      return `${lines.join('\n')}\n`
    },
  }
}
