import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { codeFiles, isTest, readText, trackedFiles } from './support/repository.ts'

const AT_THE_ROOT = [
  'package.json',
  'turbo.json',
  'apps',
  'packages',
  'infra',
  'test',
  'docs',
  '.ci',
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'LICENSE',
  'package-lock.json',
  '.gitignore',
  '.oxlintrc.json',
  'biome.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'vitest.config.ts',
]

test('the root holds only what the design allows there', () => {
  const names = new Set(trackedFiles.map((file) => file.split('/')[0] ?? ''))
  expect([...names].filter((name) => !AT_THE_ROOT.includes(name))).toEqual([])
})

/** Files that are longer than allowed, with their length when they were put here. It may only fall; none may be added. */
const TOO_LONG: Record<string, number> = {}

test('no source file is longer than 350 lines, and no test longer than 600', () => {
  const long = codeFiles
    .map((file) => ({ file, lines: readText(file).split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > (TOO_LONG[file] ?? (isTest(file) ? 600 : 350)))
  expect(long).toEqual([])
})

test('a file that became short enough leaves the list of long ones', () => {
  const listed = Object.keys(TOO_LONG).filter((file) => trackedFiles.includes(file))
  expect(listed.filter((file) => readText(file).split('\n').length - 1 <= 350)).toEqual([])
})

test('folders and files are named for what they are about, never for their kind', () => {
  const words =
    /^(utils?|common|helpers?|types?|models?|managers?|handlers?|misc|shared|lib|processors?|interfaces?|constants)$/
  const named = trackedFiles.filter((file) =>
    file.split('/').some((part) => {
      const name = part.replace(/\.(test|db\.test)?\.?(ts|tsx|mjs|js)$/, '')
      return words.test(name) && !isAllowed(file, part)
    }),
  )
  expect(named).toEqual([])
})

/** "model" is a word of the domain: the language model that an agent asks, and a model test of the queue. */
function isAllowed(file: string, part: string): boolean {
  if (part === 'model') return file.startsWith('packages/testkit/') || file.startsWith('test/faults/')
  return part === 'model.test.ts' && file.startsWith('test/faults/')
}

test('files of code are named in kebab-case', () => {
  const odd = codeFiles.filter((file) => !/^[a-z0-9_]+([-.][a-z0-9_]+)*$/.test(basename(file)))
  expect(odd).toEqual([])
})

/** How often code steps around its types. These may only fall: lower the number together with the count. */
const ANY = 1
const DOUBLE_CASTS = 4

const typed = codeFiles.filter((file) => /\.tsx?$/.test(file))

/** Lines of code that match, with what stands in quotes and comments left out. */
const find = (files: readonly string[], pattern: RegExp) =>
  files.flatMap((file) =>
    readText(file)
      .split('\n')
      .filter((line) => pattern.test(line.replace(/'[^']*'|`[^`]*`|"[^"]*"|\/\/.*$|^\s*\/?\*.*$/g, '')))
      .map((line) => `${file}: ${line.trim()}`),
  )

test('code hardly ever says any', () => {
  const found = find(typed, /(?:\bas|[:<,|(])\s*any\b|\bany\[\]/)
  expect(found.length, found.join('\n')).toBeLessThanOrEqual(ANY)
})

test('code outside tests hardly ever casts twice', () => {
  const own = typed.filter((file) => !isTest(file))
  const found = find(own, /\bas unknown as\b|\bas never\b/)
  expect(found.length, found.join('\n')).toBeLessThanOrEqual(DOUBLE_CASTS)
})

test('nothing is exported by default but where a tool asks for it', () => {
  const found = typed.filter((file) => /^export default /m.test(readText(file)))
  const asked = /(vite|vitest)\.config\.ts$|\/(global-setup|vitest-reporter)\.ts$/
  expect(found.filter((file) => !asked.test(file))).toEqual([])
})
