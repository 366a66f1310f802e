import { type DestinationStream, type Logger, pino } from 'pino'
import { redact, redactText } from './redact.ts'

export type { Logger }

export interface LoggerOptions {
  name: string
  /** `trace`, `debug`, `info` (the default), `warn`, `error`, `fatal` or `silent`. */
  level?: string
  /** Standard error unless given: standard output is for data. */
  destination?: DestinationStream
}

/** JSON lines with level, time and name. Secrets are masked by their names and by their look. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level ?? 'info',
    base: {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (entry: object) => redact(entry) as Record<string, unknown>,
    },
    // `redact` has turned errors into plain objects before serializers are asked.
    serializers: { err: asItIs },
    hooks: { streamWrite: redactText },
  }
  return withRedactedChildren(
    pino(settings, options.destination ?? pino.destination({ dest: 2, sync: true })),
  )
}

/** pino asks no formatter for the bindings of a child. Children inherit this `child`, so theirs are covered too. */
function withRedactedChildren(log: Logger): Logger {
  const create = Reflect.get(log, 'child') as Logger['child']
  log.child = function child(this: Logger, bindings: object, ...rest: []) {
    return create.call(this, redact(bindings) as object, ...rest)
  } as Logger['child']
  return log
}

function asItIs(value: unknown): unknown {
  return value
}
