import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { buildProgram } from '../../apps/runner/src/cli/program.ts'
import { codeFiles, documents, isTest, readText } from './support/repository.ts'

type Node = { name(): string; commands: readonly Node[] }

/** `run`, `runs list`, …: every command that does something. */
function leavesOf(node: Node, before: string[] = []): string[][] {
  return node.commands.flatMap((command) => {
    const path = [...before, command.name()]
    return command.commands.length > 0 ? leavesOf(command, path) : [path]
  })
}

const program = buildProgram()
const leaves = leavesOf(program).filter(([first]) => first !== 'help')
const command = new URL('../../apps/runner/bin/baton.mjs', import.meta.url).pathname

async function helpOf(path: string[]): Promise<{ path: string; code: number; help: string }> {
  const child = spawn(process.execPath, [command, ...path, '--help'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
  const help = await text(child.stdout)
  return { path: path.join(' '), code: await ended, help }
}

test('every command has help with an example that begins with it', { timeout: 60_000 }, async () => {
  expect(leaves.length).toBeGreaterThan(25)
  const waiting = [...leaves]
  const lanes = Array.from({ length: 4 }, async () => {
    for (let path = waiting.shift(); path; path = waiting.shift()) {
      const { path: name, code, help } = await helpOf(path)
      expect(code, name).toBe(0)
      expect(help, name).toMatch(new RegExp(`Examples:[\\s\\S]*\\$ [^\\n]*\\bbaton ${name}\\b`))
      expect(help, name).toContain('--json')
    }
  })
  await Promise.all(lanes)
})

/** A command in backticks or quotes, behind `npx` or a prompt: words that a reader would type. */
const TYPED = /(?:[`"]|npx |\$ )baton ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g

test('every command that a message, a help text or a document tells people to type exists', () => {
  const groups = new Map(program.commands.map((one) => [one.name(), one]))
  const files = [
    ...documents,
    ...codeFiles.filter((file) => /^(apps|packages)\/[^/]+\/src\//.test(file) && !isTest(file)),
  ]
  const wrong = files.flatMap((file) =>
    [...readText(file).matchAll(TYPED)]
      .filter(([, first = '', second]) => {
        const found = groups.get(first)
        if (!found) return true
        return found.commands.length > 0 && !found.commands.some((one) => one.name() === second)
      })
      .map(([typed]) => `${file}: ${typed}`),
  )
  expect(wrong).toEqual([])
})

test('the changelog names every command that there is', () => {
  const changelog = readText('CHANGELOG.md')
  const names = program.commands.map((one) => one.name()).filter((name) => name !== 'help')
  expect(names.filter((name) => !changelog.includes(`\`${name}\``))).toEqual([])
})
