import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { BatonError } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { clip, table } from './text.ts'

export async function addSkill(
  session: Session,
  [id = '', file = '']: string[],
  options: { name?: string },
): Promise<void> {
  const { name, text } = await readSkill(file, options.name)
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  const skill = await baton.skills.add(agent.key, name, text)
  session.print(skill, () => `${printable(agent.key)} has the skill ${name}: ${printable(skill.description)}`)
}

export async function listSkills(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const items = await baton.skills.list(id)
  session.print({ items }, () =>
    table(
      ['name', 'for'],
      items.map((one) => [one.name, clip(printable(one.description), 100)]),
      session.out,
    ),
  )
  if (items.length === 0) session.note(`No skills. Give it one: baton agent skill add ${id} ./some-skill`)
}

export async function removeSkill(session: Session, [id = '', name = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  await confirm(session, `Take the skill ${name} from ${agent.key}?`)
  await baton.skills.remove(agent.key, name)
  session.print({ agent: agent.key, name, removed: true }, () => `${name} is taken away.`)
}

/** A skill is named like its folder; a file that is not called SKILL.md names itself. */
async function readSkill(given: string, name: string | undefined): Promise<{ name: string; text: string }> {
  if (given === '-') {
    if (!name) throw new BatonError('bad_input', 'A skill from stdin needs --name <name>.')
    return { name, text: await readAll(process.stdin) }
  }
  const path = resolve(given)
  const found = await stat(path).catch(() => null)
  const file = found?.isDirectory() ? join(path, 'SKILL.md') : path
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new BatonError('bad_input', `${file} cannot be read: give a SKILL.md, or the folder of one.`, {
      cause,
    })
  })
  const own = basename(file) === 'SKILL.md' ? basename(dirname(file)) : basename(file).replace(/\.md$/, '')
  return { name: name ?? own.toLowerCase(), text }
}
