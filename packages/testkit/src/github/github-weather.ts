/** One thing that goes wrong with requests that fit, `times` times. */
export type GithubFault = {
  match: (method: string, path: string) => boolean
  /**
   * lose: the effect happens and the connection is dropped. drop: nothing happens and the connection is dropped. fail:
   * 502 and nothing happens. rate_limit, secondary: GitHub's two refusals, with their headers. delay: it takes `ms`.
   */
  kind: 'lose' | 'drop' | 'fail' | 'rate_limit' | 'secondary' | 'delay'
  times: number
  ms?: number
  /** Called when it happens: where a test kills something. */
  onHit?: () => void
}

export type GithubWeather = {
  add(fault: GithubFault): void
  /** The fault that this request meets, counted down. */
  meet(method: string, path: string): GithubFault | null
  clear(): void
}

export function createGithubWeather(): GithubWeather {
  let faults: GithubFault[] = []
  return {
    add: (fault) => void faults.push({ ...fault }),
    meet(method, path) {
      const fault = faults.find((one) => one.times > 0 && one.match(method, path))
      if (!fault) return null
      fault.times -= 1
      fault.onHit?.()
      return fault
    },
    clear: () => {
      faults = []
    },
  }
}
