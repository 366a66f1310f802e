import type { StageResult } from './stage.ts'

export interface StageLine {
  progress: (text: string) => void
  end(result: StageResult): void
}

export interface Report {
  begin(stage: string): StageLine
  /** Says what failed and what was skipped and why; its last line is the count. */
  end(total: StageResult): void
}

const stillHereMs = 15_000

/** On a terminal the running stage has one line that changes; elsewhere there is a sign of life now and then. */
export function createReport(out: NodeJS.WriteStream): Report {
  function begin(stage: string): StageLine {
    const started = performance.now()
    let detail = ''
    const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`
    const redraw = () => out.write(`\r\x1b[K… ${stage.padEnd(16)} ${detail.padEnd(32)} ${seconds()}`)
    const remind = () => out.write(`… ${stage}: ${[detail, seconds()].filter(Boolean).join(', ')}\n`)
    const timer = out.isTTY ? setInterval(redraw, 100) : setInterval(remind, stillHereMs)

    return {
      progress: (text) => {
        detail = text
      },
      end: (result) => {
        clearInterval(timer)
        const sign = result.failures.length > 0 ? '✗' : '✓'
        out.write(
          `${out.isTTY ? '\r\x1b[K' : ''}${sign} ${stage.padEnd(16)} ${countOf(result).padEnd(32)} ${seconds()}\n`,
        )
        if (result.failures.length > 0) out.write(`\n${result.output.trimEnd()}\n\n`)
      },
    }
  }

  function end(total: StageResult): void {
    if (total.skips.length > 0) out.write('\nskipped:\n')
    for (const { name, reason } of total.skips) out.write(`  ${name}: ${reason}\n`)
    if (total.failures.length > 0) out.write('\nfailed:\n')
    for (const failure of total.failures) out.write(`  ${failure}\n`)
    out.write(`\n${total.passed} passed, ${total.failures.length} failed, ${total.skips.length} skipped\n`)
  }

  return { begin, end }
}

function countOf({ passed, failures, skips }: StageResult): string {
  const counts: [number, string][] = [
    [passed, 'passed'],
    [failures.length, 'failed'],
    [skips.length, 'skipped'],
  ]
  const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  return told.join(', ') || 'nothing to run'
}
