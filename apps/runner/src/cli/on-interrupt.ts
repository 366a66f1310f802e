/** Calls `first` at the first Ctrl-C. The second one ends the process as a Ctrl-C does. */
export function onInterrupt(first: () => void): Disposable {
  const end = () => process.exit(130)
  const begin = () => {
    process.once('SIGINT', end)
    first()
  }
  process.once('SIGINT', begin)
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', begin)
      process.off('SIGINT', end)
    },
  }
}
