export interface Skip {
  name: string
  reason: string
}

export interface StageResult {
  passed: number
  /** One line each: what failed. */
  failures: string[]
  skips: Skip[]
  /** What the tool wrote; shown in full when something failed. */
  output: string
}

export interface StageContext {
  signal: AbortSignal
  /** Says how far it is, for a person who waits. */
  progress: (text: string) => void
}

export interface Stage {
  name: string
  run(context: StageContext): Promise<StageResult>
}

export function failedStage(failure: string, output = ''): StageResult {
  return { passed: 0, failures: [failure], skips: [], output }
}

export function addUp(results: StageResult[]): StageResult {
  return {
    passed: results.reduce((sum, result) => sum + result.passed, 0),
    failures: results.flatMap((result) => result.failures),
    skips: results.flatMap((result) => result.skips),
    output: '',
  }
}
