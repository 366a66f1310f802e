import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { duration } from './text.ts'

export async function explain(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const why = await baton.why(id)
  session.print(why, () => {
    const conditions = why.conditions.flatMap(({ what, since, unblock, command }) => [
      `${session.out('yellow', '!')} ${printable(what)}${since === null ? '' : session.out('dim', ` (for ${duration(Date.now() - since)})`)}`,
      `  ${printable(unblock)}`,
      ...(command ? [`  $ ${printable(command)}`] : []),
    ])
    const isRepeated = why.sentence === why.conditions.map(({ what }) => what).join(' ')
    return [...(isRepeated ? [] : [printable(why.sentence)]), ...conditions].join('\n')
  })
}
