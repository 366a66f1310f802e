/** Without the fields that are undefined, which would hide what is spread before them. */
export function defined<T extends object>(value: T | undefined) {
  const entries = Object.entries(value ?? {}).filter(([, field]) => field !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
