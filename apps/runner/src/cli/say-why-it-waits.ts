import type { Run } from '@baton/sdk'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

/** What starts at once has been heard of by then. */
const LOOK_MS = 2_000

/**
 * Says why a followed run has not begun, and again when the reason is another one, until its first event is `heard`.
 * Nothing with --json.
 */
export function sayWhyItWaits(session: Session, run: Run): Disposable & { heard(): void } {
  let timer: NodeJS.Timeout | null = null
  let said = ''

  async function look() {
    const { conditions } = await (await session.baton()).why(run.id)
    if (timer === null) return
    timer = setTimeout(next, LOOK_MS)
    const lines = conditions.flatMap(({ what, unblock, command }) => [
      `${session.err('yellow', '!')} ${printable(what)}`,
      `  ${printable(unblock)}${command ? `  $ ${printable(command)}` : ''}`,
    ])
    const text = lines.join('\n')
    if (text !== said && text !== '') session.note(text)
    said = text
  }
  const next = () => void look().catch((error: unknown) => session.note(`! ${(error as Error).message}`))
  const stop = () => {
    if (timer) clearTimeout(timer)
    timer = null
  }

  if (!session.json) timer = setTimeout(next, LOOK_MS)
  return { heard: stop, [Symbol.dispose]: stop }
}
