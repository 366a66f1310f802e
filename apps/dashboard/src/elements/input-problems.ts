export type InputProblems = {
  /** What belongs to no field, or null. */
  general: string | null
  /** By the path of the input, such as `limits.wallMs` or `triggers[0].expression`. */
  at: Record<string, string>
}

export const SAID_AT_FIELDS = 'Some of this is not right yet; it is said at its field.'

const ONE = /✖ (.+?) → at (\S+)(?= ✖|$)/g

/** Takes the relay's sentence about a refused input apart, so that each problem can stand at its field. */
export function inputProblems(text: string | null, shown: (path: string) => boolean): InputProblems {
  if (text === null) return { general: null, at: {} }
  const found = [...text.replaceAll(/\s+/g, ' ').matchAll(ONE)].map(([, what = '', path = '']) => ({
    what,
    path,
  }))
  const at = Object.fromEntries(found.filter(({ path }) => shown(path)).map(({ what, path }) => [path, what]))
  const isAllShown = found.length > 0 && found.every(({ path }) => shown(path))
  return { general: isAllShown ? SAID_AT_FIELDS : text, at }
}
