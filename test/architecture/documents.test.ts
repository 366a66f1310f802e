import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { codeFiles, documents, isThere, readText, trackedFiles } from './support/repository.ts'

const AT_ROOT = /^(apps|packages|infra|test|docs|\.ci)\/[\w./@-]+$/
const ROOT_FILE = /^[\w.-]+\.(md|json|ts)$/

test('every file and folder that a document names exists', () => {
  const missing = documents.flatMap((document) =>
    [...readText(document).matchAll(/`([^`\n]+)`/g)]
      .map(([, text = '']) => text)
      .filter((text) => AT_ROOT.test(text) && !isThere(text))
      .map((text) => `${document}: ${text}`),
  )
  expect(missing).toEqual([])
})

test('every link of a document leads to a file, and to a heading in it', () => {
  const broken = documents.flatMap((document) =>
    [...readText(document).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !leadsSomewhere(document, link))
      .map((link) => `${document}: ${link}`),
  )
  expect(broken).toEqual([])
})

test('every document in docs is reached from the README', () => {
  const readme = readText('README.md')
  const hidden = documents
    .filter((document) => document.startsWith('docs/') && !document.startsWith('docs/decisions/'))
    .filter((document) => !readme.includes(`(${document})`))
  expect(hidden).toEqual([])
})

test('every document that code or a test names exists', () => {
  const missing = codeFiles.flatMap((file) =>
    [...readText(file).matchAll(/\bdocs\/[\w/-]+\.(?:md|svg)\b/g)]
      .filter(([name]) => !isThere(name))
      .map(([name]) => `${file}: ${name}`),
  )
  expect(missing).toEqual([])
})

test('the architecture fits on a few screens', () => {
  expect(readText('ARCHITECTURE.md').split('\n').length).toBeLessThan(250)
})

test('decisions are numbered without a gap and say status, context, decision, alternatives and consequences', () => {
  const decisions = documents.filter((document) => document.startsWith('docs/decisions/')).toSorted()
  expect(decisions.length).toBeGreaterThan(10)
  decisions.forEach((decision, index) => {
    expect(decision).toMatch(
      new RegExp(`/${String(index + 1).padStart(4, '0')}-[a-z0-9]+(-[a-z0-9]+)*\\.md$`),
    )
    const text = readText(decision)
    expect(text, decision).toMatch(/^\*\*Status:\*\* /m)
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    expect(headings, decision).toEqual(['Context', 'Decision', 'Alternatives', 'Consequences'])
  })
})

test('the licence is the one that package.json names', () => {
  expect(JSON.parse(readText('package.json')).license).toBe('Apache-2.0')
  expect(readText('LICENSE')).toContain(
    'Apache License\n                           Version 2.0, January 2004',
  )
})

function leadsSomewhere(document: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? document : normalize(join(dirname(document), file))
  if (!isThere(target)) return false
  return anchor === undefined || (target.endsWith('.md') && anchorsOf(target).includes(anchor))
}

/** As GitHub makes them: lower case, dashes for spaces, no other punctuation. */
function anchorsOf(document: string): string[] {
  return [...readText(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('files at the root that a document names exist', () => {
  const names = documents.flatMap((document) =>
    [...readText(document).matchAll(/`([^`\n]+)`/g)]
      .map(([, text = '']) => text)
      .filter((text) => ROOT_FILE.test(text) && /^[A-Z]|^package|^turbo|^tsconfig|^vitest/.test(text)),
  )
  const atRoot = trackedFiles.filter((file) => !file.includes('/'))
  expect(names.filter((name) => !atRoot.includes(name) && !/^(MEMORY|SKILL|BATON)\.md$/.test(name))).toEqual(
    [],
  )
})
