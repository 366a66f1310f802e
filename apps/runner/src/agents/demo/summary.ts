import { createHash } from 'node:crypto'
import type { FileFacts, GitFacts } from './look-around.ts'

export type Fired = { source: string; job: string; attempt: string; prompt: string; event: string | null }
export type Found = {
  title: string | null
  git: GitFacts | null
  files: FileFacts[]
  complete: boolean
  types: [string, number][]
  biggest: FileFacts[]
  todos: { count: number; first: string[] }
}

/** By this line the agent knows a file that it wrote itself and may write over. */
export const MARK = '<!-- Written by the demo agent of Baton. It is written anew by every run. -->'
const MOST_QUOTED = 2_000

/** The report as Markdown: what fired the run, and what is in the folder. */
export function summarize(folder: string, fired: Fired, found: Found): string {
  const job = fired.job === '' ? '' : ` by the job \`${fired.job}\``
  return [
    MARK,
    `# ${found.title ?? folder.split(/[\\/]/).at(-1) ?? folder}`,
    '## What fired this',
    `A ${fired.source} event${job}, attempt ${fired.attempt}.`,
    'Its prompt:',
    quoted(fired.prompt),
    ...(fired.event === null ? ['It had no body.'] : [bodySentence(fired.event), quoted(fired.event)]),
    '## What is here',
    `${found.files.length}${found.complete ? '' : ' or more'} files, ${sized(sum(found.files))}.`,
    list(found.types.map(([type, count]) => `\`${type}\`: ${count}`)),
    'The largest:',
    list(found.biggest.map(({ path, bytes }) => `\`${path}\`: ${sized(bytes)}`)),
    `TODO and FIXME: ${found.todos.count}.`,
    list(found.todos.first.map((one) => `\`${one.replaceAll('`', "'")}\``)),
    ...gitPart(found.git),
    '',
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

/** The same in one sentence, for the result. */
export function sentence(found: Found, file: string): string {
  const git = found.git === null ? 'no git repository' : `branch ${found.git.branch}`
  return `Looked at ${found.files.length} files (${sized(sum(found.files))}, ${git}, ${found.todos.count} TODO) and wrote ${file}.`
}

function gitPart(git: GitFacts | null): string[] {
  if (git === null) return ['It is no git repository.']
  return [
    `Branch \`${git.branch}\`.`,
    git.commits.length > 0 ? quoted(git.commits.join('\n')) : 'It has no commit yet.',
  ]
}

function bodySentence(body: string): string {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return `Its body has ${Buffer.byteLength(body)} bytes (sha256 ${hash}…):`
}

/** A fenced block that its content cannot end. */
function quoted(text: string): string {
  const short =
    text.length > MOST_QUOTED
      ? `${text.slice(0, MOST_QUOTED)}\n… ${text.length - MOST_QUOTED} more characters`
      : text
  const longest = Math.max(2, ...[...short.matchAll(/`+/g)].map((match) => match[0].length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${short.trimEnd()}\n${fence}`
}

const list = (items: string[]) => items.map((item) => `- ${item}`).join('\n')
const sum = (files: FileFacts[]) => files.reduce((total, file) => total + file.bytes, 0)

function sized(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`
}
