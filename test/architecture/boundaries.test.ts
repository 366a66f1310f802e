import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { codeFiles, inOrder, isTest, readText } from './support/repository.ts'

type Import = { file: string; from: string; typeOnly: boolean }

const STATEMENT =
  /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/gm

const imports: Import[] = codeFiles
  .filter((file) => /\.(ts|tsx|mjs)$/.test(file))
  .flatMap((file) =>
    [...readText(file).matchAll(STATEMENT)].map(([whole, type, from, dynamic]) => ({
      file,
      from: from ?? dynamic ?? '',
      // `typeof import('…')` is a type, too, but nobody here needs it.
      typeOnly: type !== undefined && !whole.includes('import('),
    })),
  )

const show = ({ file, from }: Import) => `${file} imports ${from}`
const packageOf = (file: string) => /^(?:apps|packages)\/[^/]+/.exec(file)?.[0] ?? null
const isOf = (from: string, name: string) => from === name || from.startsWith(`${name}/`)

/** The package that an import leads to, when it is one of ours. */
function leadsTo({ file, from }: Import): string | null {
  if (from.startsWith('.')) return packageOf(normalize(join(dirname(file), from)))
  const [, name] = /^@baton\/([^/]+)/.exec(from) ?? []
  if (name === undefined) return null
  return ['relay', 'runner', 'dashboard'].includes(name) ? `apps/${name}` : `packages/${name}`
}

test('imports are found at all', () => {
  expect(imports.length).toBeGreaterThan(1_000)
  expect(imports.some((one) => one.typeOnly)).toBe(true)
})

test('packages never import apps at run time', () => {
  const wrong = imports.filter(
    (one) => one.file.startsWith('packages/') && leadsTo(one)?.startsWith('apps/') && !one.typeOnly,
  )
  expect(wrong.map(show)).toEqual([])
})

test('apps never import other apps at run time', () => {
  const wrong = imports.filter(
    (one) =>
      one.file.startsWith('apps/') &&
      leadsTo(one)?.startsWith('apps/') &&
      leadsTo(one) !== packageOf(one.file) &&
      !one.typeOnly,
  )
  expect(wrong.map(show)).toEqual([])
})

test("the one typed edge is the relay's router, for those who call it", () => {
  const edges = imports.filter(
    (one) =>
      one.typeOnly &&
      leadsTo(one)?.startsWith('apps/') &&
      leadsTo(one) !== packageOf(one.file) &&
      !isTest(one.file),
  )
  expect(edges.filter((one) => one.from !== '@baton/relay').map(show)).toEqual([])
  const callers = new Set(edges.map((one) => packageOf(one.file)))
  expect(inOrder(callers)).toEqual(['apps/dashboard', 'packages/sdk'])
})

test('a package is entered by its name, never by a path into it', () => {
  const wrong = imports.filter(
    (one) =>
      one.from.startsWith('.') &&
      packageOf(one.file) !== null &&
      leadsTo(one) !== packageOf(one.file) &&
      !isTest(one.file),
  )
  expect(wrong.map(show)).toEqual([])
})

test.each([
  ['kysely', ['packages/db']],
  ['postgres', ['packages/db', 'packages/testkit']],
  ['execa', ['apps/runner']],
  ['jose', ['apps/relay']],
  ['commander', ['apps/runner']],
  ['react', ['apps/dashboard']],
])('only its own package imports %s', (name, owners) => {
  const users = imports.filter((one) => isOf(one.from, name))
  expect(users.length).toBeGreaterThan(0)
  const wrong = users.filter(
    (one) => !owners.includes(packageOf(one.file) ?? '') && !one.file.startsWith('test/'),
  )
  expect(wrong.map(show)).toEqual([])
})

test('agents are started in processes alone; beside it only programs that answer are called', () => {
  const answering = ['agents/ask-program.ts', 'workspaces/git.ts', 'sandbox/engine.ts']
  const users = imports.filter((one) => isOf(one.from, 'execa') && !isTest(one.file))
  const wrong = users.filter(
    ({ file }) =>
      !file.startsWith('apps/runner/src/processes/') &&
      !answering.some((name) => file === `apps/runner/src/${name}`),
  )
  expect(wrong.map(show)).toEqual([])
})

test('the protocol and the signature schemes do no input or output', () => {
  const modules = ['fs', 'net', 'http', 'https', 'child_process', 'dgram', 'tls', 'worker_threads']
  const wrong = imports.filter(
    (one) =>
      /^packages\/(protocol|webhooks)\/src\//.test(one.file) &&
      !isTest(one.file) &&
      modules.some((name) => isOf(one.from, `node:${name}`)),
  )
  expect(wrong.map(show)).toEqual([])
})

test('every package that code uses at run time is declared where it is used', () => {
  const declared = new Map<string, Set<string>>()
  const wrong = imports.filter((one) => {
    const owner = packageOf(one.file)
    const [name] = /^(@[^/]+\/)?[^/.][^/]*/.exec(one.from) ?? []
    if (!owner || !name || one.typeOnly || isTest(one.file) || /^(node:|virtual:)/.test(one.from))
      return false
    if (!one.file.startsWith(`${owner}/src/`)) return false
    if (!declared.has(owner)) {
      const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
        readText(`${owner}/package.json`),
      )
      const own = JSON.parse(readText(`${owner}/package.json`)).name
      const all = { ...dependencies, ...optionalDependencies, ...devDependencies }
      declared.set(owner, new Set([own, ...Object.keys(all)]))
    }
    return !declared.get(owner)?.has(name)
  })
  const pairs = new Set(wrong.map((one) => `${packageOf(one.file)} ${one.from}`))
  expect(inOrder(pairs)).toEqual([])
})
