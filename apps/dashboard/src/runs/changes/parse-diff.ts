export type DiffLine = {
  kind: 'same' | 'added' | 'removed' | 'note'
  text: string
  /** Its number in the file before and after; null where it is not in it. */
  before: number | null
  after: number | null
}
export type DiffHunk = { heading: string; lines: DiffLine[] }
export type FileDiff = { path: string; hunks: DiffHunk[]; binary: boolean }

/**
 * A unified diff of git, by the path of each file after the change. Lines of content begin with a blank, + or -, so a
 * line that looks like a header inside of a file is never taken for one.
 */
export function parseDiff(diff: string): Map<string, FileDiff> {
  const files = new Map<string, FileDiff>()
  for (const text of diff.split(/^(?=diff --git )/m)) {
    if (!text.startsWith('diff --git ')) continue
    const file = parseFile(text)
    files.set(file.path, file)
  }
  return files
}

function parseFile(text: string): FileDiff {
  const lines = text.replace(/\n$/, '').split('\n')
  const first = lines.findIndex((line) => line.startsWith('@@ '))
  const head = first === -1 ? lines : lines.slice(0, first)
  const file: FileDiff = {
    path: pathOf(head),
    hunks: [],
    binary: head.some((line) => /^(Binary files |GIT binary patch)/.test(line)),
  }
  let [before, after] = [0, 0]
  for (const line of first === -1 ? [] : lines.slice(first)) {
    const heading = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/.exec(line)
    if (heading) {
      ;[before, after] = [Number(heading[1]), Number(heading[2])]
      file.hunks.push({ heading: heading[3] ?? '', lines: [] })
      continue
    }
    const body = line.slice(1)
    const hunk = file.hunks.at(-1)
    if (line.startsWith('+')) hunk?.lines.push({ kind: 'added', text: body, before: null, after: after++ })
    else if (line.startsWith('-'))
      hunk?.lines.push({ kind: 'removed', text: body, before: before++, after: null })
    else if (line.startsWith('\\'))
      hunk?.lines.push({ kind: 'note', text: body.trim(), before: null, after: null })
    else hunk?.lines.push({ kind: 'same', text: body, before: before++, after: after++ })
  }
  return file
}

/** From the plainest of its headers that there is: names may hold blanks, and then end with a tab. */
function pathOf(head: string[]): string {
  const after = (start: string) =>
    head
      .find((line) => line.startsWith(start))
      ?.slice(start.length)
      .replace(/\t$/, '')
  const renamed = after('rename to ')
  if (renamed !== undefined) return unquote(renamed)
  for (const name of [after('+++ '), after('--- ')])
    if (name !== undefined && name !== '/dev/null') return unquote(name).slice(2)
  // Without content (a new mode, an empty file, not text) both names of the first line are the same.
  const both = (head[0] ?? '').slice('diff --git '.length)
  if (both.startsWith('"')) return unquote(/^"(?:[^"\\]|\\.)*"/.exec(both)?.[0] ?? both).slice(2)
  return both.slice(0, (both.length - 1) / 2).slice(2)
}

const ESCAPES: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 }

/** git writes odd names in quotes, with escapes that stand for bytes. */
function unquote(name: string): string {
  if (!name.startsWith('"') || !name.endsWith('"')) return name
  const bytes: number[] = []
  const inside = name.slice(1, -1)
  for (let at = 0; at < inside.length; at += 1) {
    const character = inside[at] ?? ''
    if (character !== '\\') {
      bytes.push(...new TextEncoder().encode(String.fromCodePoint(inside.codePointAt(at) ?? 0)))
      if ((inside.codePointAt(at) ?? 0) > 0xffff) at += 1
      continue
    }
    const octal = /^[0-7]{3}/.exec(inside.slice(at + 1))?.[0]
    if (octal) {
      bytes.push(Number.parseInt(octal, 8))
      at += 3
    } else {
      bytes.push(ESCAPES[inside[at + 1] ?? ''] ?? 63)
      at += 1
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}
