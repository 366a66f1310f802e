import { performance } from 'node:perf_hooks'
import { type QueueFigures, RECENT_QUANTILES } from '@baton/db'

/**
 * What an operator watches, in the Prometheus text format: counts of this process since it started, and figures of the
 * database, which are the same on every relay (take the maximum over relays, not the sum).
 */
export type Metrics = {
  /** One answer of `/hooks/…` or `/github/webhook`. */
  countHook(status: number): void
  /** How long an accepted webhook took, from its first byte to the answer. */
  timeHook(seconds: number): void
  /** One answer of the API (`trpc` or `rest`) or of anything else. */
  countAnswer(surface: Surface, status: number): void
  /** A delivery that the sweeper moved on, and why. */
  countMoved(why: string): void
  /** The end of a run that a machine reported and that counts. */
  countRunEnd(state: string): void
  render(gauges: Gauges): string
}
export type Surface = 'trpc' | 'rest' | 'pages'
export type Gauges = {
  sockets: number
  runners: number
  deleted: Record<string, number>
  /** Null: the database does not answer. */
  figures: QueueFigures | null
}

const HOOK_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15]

export function createMetrics(): Metrics {
  const hooks = createCounts('status')
  const answers = createCounts('surface', 'status')
  const moved = createCounts('why')
  const runEnds = createCounts('state')
  const hookTimes = createHistogram(HOOK_BUCKETS_S)
  return {
    countHook: (status) => hooks.add(status),
    timeHook: (seconds) => hookTimes.observe(seconds),
    countAnswer: (surface, status) => answers.add(surface, status),
    countMoved: (why) => moved.add(why),
    countRunEnd: (state) => runEnds.add(state),
    render({ sockets, runners, deleted, figures }) {
      const deletions = Object.entries(deleted).map(([kind, count]): Sample => [{ kind }, count])
      return [
        family(
          'baton_hook_answers_total',
          'counter',
          'Answers to webhooks, by HTTP status.',
          hooks.samples(),
        ),
        family('baton_hook_seconds', 'histogram', 'From request to answer, of webhooks answered 2xx.', [
          ...hookTimes.samples(),
        ]),
        family('baton_answers_total', 'counter', 'Answers to all other requests.', answers.samples()),
        family('baton_run_ends_total', 'counter', 'Ends of runs that machines reported.', runEnds.samples()),
        family(
          'baton_deliveries_moved_total',
          'counter',
          'Deliveries whose lease or time ran out: unaccepted, lapsed and stalled are leases.',
          moved.samples(),
        ),
        family('baton_deleted_total', 'counter', 'Rows that were kept long enough.', deletions),
        family('baton_sockets', 'gauge', 'Open WebSockets.', [[{}, sockets]]),
        family('baton_runner_sessions', 'gauge', 'Runners connected to this relay.', [[{}, runners]]),
        family('baton_database_up', 'gauge', '1 while the database answers.', [[{}, figures ? 1 : 0]]),
        ...(figures ? databaseFamilies(figures) : []),
        ...processFamilies(),
      ].join('')
    },
  }
}

/** States without a row are 0, so that an alert has something to compare. */
function databaseFamilies({
  deliveries,
  oldestPendingS,
  dispatches,
  machines,
  ...rest
}: QueueFigures): string[] {
  const states = (label: string, words: readonly string[], counts: Partial<Record<string, number>>) =>
    words.map((word): Sample => [{ [label]: word }, counts[word] ?? 0])
  const quantiles = (step: string, values: number[] | null) =>
    RECENT_QUANTILES.map(
      (quantile, at): Sample => [{ step, quantile: `${quantile}` }, values?.[at] ?? Number.NaN],
    )
  return [
    family(
      'baton_deliveries',
      'gauge',
      'Unfinished deliveries by state.',
      states('state', ['pending', 'parked', 'leased', 'running', 'stalled'], deliveries),
    ),
    family('baton_oldest_pending_seconds', 'gauge', 'How long the oldest pending delivery waits.', [
      [{ machine: 'online' }, oldestPendingS.online ?? 0],
      [{ machine: 'away' }, oldestPendingS.away ?? 0],
    ]),
    family(
      'baton_dispatches',
      'gauge',
      'Outputs that are to be sent by a relay, or could not be sent.',
      states('state', ['pending', 'sending', 'failed', 'dead'], dispatches),
    ),
    family('baton_dispatches_late_seconds', 'gauge', 'How overdue the oldest output is.', [
      [{}, rest.dispatchesLateS],
    ]),
    family(
      'baton_machines',
      'gauge',
      'Machines by state.',
      states('state', ['online', 'offline', 'draining', 'revoked'], machines),
    ),
    family(
      'baton_recent_delivery_seconds',
      'gauge',
      'From stored to leased and to accepted by the runner, of first attempts accepted within five minutes.',
      [...quantiles('leased', rest.recent.leased), ...quantiles('accepted', rest.recent.accepted)],
    ),
    family('baton_recent_deliveries', 'gauge', 'How many those are.', [[{}, rest.recent.runs]]),
  ]
}

function processFamilies(): string[] {
  const { user, system } = process.cpuUsage()
  const { active } = performance.eventLoopUtilization()
  const startedAt = Math.round(Date.now() / 1000 - process.uptime())
  return [
    family('process_resident_memory_bytes', 'gauge', 'Memory of this process.', [
      [{}, process.memoryUsage.rss()],
    ]),
    family('process_cpu_seconds_total', 'counter', 'Processor time.', [[{}, (user + system) / 1e6]]),
    family('process_start_time_seconds', 'gauge', 'When it started.', [[{}, startedAt]]),
    family('nodejs_eventloop_active_seconds_total', 'counter', 'Time in which the event loop was busy.', [
      [{}, active / 1000],
    ]),
  ]
}

type Sample = [labels: Record<string, string>, value: number, suffix?: string]

function family(name: string, type: string, help: string, samples: Sample[]): string {
  const lines = samples.map(([labels, value, suffix = '']) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function createCounts(...labels: string[]) {
  const counts = new Map<string, { values: (string | number)[]; count: number }>()
  return {
    add(...values: (string | number)[]) {
      const key = values.join(' ')
      const known = counts.get(key)
      if (known) known.count++
      else counts.set(key, { values, count: 1 })
    },
    samples: () =>
      [...counts.values()].map(
        ({ values, count }): Sample => [
          Object.fromEntries(labels.map((label, at) => [label, String(values[at])])),
          count,
        ],
      ),
  }
}

function createHistogram(bounds: readonly number[]) {
  const buckets = new Array<number>(bounds.length + 1).fill(0)
  let sum = 0
  return {
    observe(value: number) {
      sum += value
      const at = bounds.findIndex((bound) => value <= bound)
      const bucket = at < 0 ? bounds.length : at
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    },
    samples(): Sample[] {
      let total = 0
      const cumulative = buckets.map((count, at): Sample => {
        total += count
        return [{ le: at < bounds.length ? `${bounds[at]}` : '+Inf' }, total, '_bucket']
      })
      return [...cumulative, [{}, sum, '_sum'], [{}, total, '_count']]
    },
  }
}
