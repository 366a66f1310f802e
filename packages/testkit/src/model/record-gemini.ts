import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installAgentCli } from '../agents/install-agent-cli.ts'
import { withGeminiEnvironment } from '../agents/with-gemini-environment.ts'
import { neutralWords } from './neutral-words.ts'
import { sessionId } from './situations.ts'
import { startStandInModel } from './stand-in-model.ts'

/*
 * Makes the transcripts of Gemini CLI under `fixtures/` again, as record-fixtures.ts does for Claude Code:
 *
 *   node packages/testkit/src/model/record-gemini.ts [part of a name]
 */
interface Situation {
  name: string
  prompt: string
  argv?: string[]
  env?: Record<string, string>
  /** A run before it in the same home and folder. */
  before?: string
  /** Ends it with this signal when the model has said this. */
  stop?: { signal: NodeJS.Signals; after: string }
}

const situations: Situation[] = [
  { name: 'plain-answer', prompt: '@say Hello from the model.' },
  { name: 'thinking', prompt: '@think First I look at it.\n@say Then I answer.' },
  { name: 'slow-stream', prompt: '@slow 5x50ms tick\n@say And more.' },
  { name: 'write-file', prompt: '@say I write it.\n@write notes.txt <<< one\\ntwo\n@say Written.' },
  { name: 'shell', argv: ['yolo'], prompt: '@shell echo hi; echo warn >&2' },
  { name: 'shell-fails', argv: ['yolo'], prompt: '@shell echo partly; exit 3\n@say It failed.' },
  { name: 'shell-refused', prompt: '@shell touch note\n@say The command was handled.' },
  { name: 'write-refused', argv: ['default'], prompt: '@write a.txt <<< a\n@say Tried.' },
  { name: 'refused-in-part', prompt: '@write a.txt <<< a\n@shell touch b\n@say Did a part.' },
  { name: 'outside', prompt: '@write /nowhere/a.txt <<< a\n@say Tried.' },
  { name: 'usage', prompt: '@usage 12000 345\n@say Counted.' },
  { name: 'router', argv: ['auto_edit', 'auto'], prompt: '@say Routed.' },
  { name: 'api-400', prompt: '@fail 400' },
  { name: 'api-401', prompt: '@fail 401' },
  { name: 'api-429', prompt: '@fail 429' },
  { name: 'api-500', prompt: '@fail 500' },
  { name: 'api-500-once', prompt: '@fail 500 1\n@say Through.' },
  { name: 'stream-cut', prompt: '@say Half an\n@wait 200\n@cut' },
  { name: 'unreachable', env: { GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:9' }, prompt: '@say Never.' },
  { name: 'not-signed-in', env: { GEMINI_API_KEY: '' }, prompt: '@say Never.' },
  { name: 'resume', before: '@say Remember me.', prompt: 'How many prompts?' },
  { name: 'resume-unknown', argv: ['auto_edit', 'gemini-2.5-pro', 'resume'], prompt: '@say Never.' },
  {
    name: 'sigterm',
    prompt: '@say I wait.\n@hang',
    stop: { signal: 'SIGTERM', after: 'I wait.' },
  },
  {
    name: 'sigkill',
    prompt: '@say I wait.\n@hang',
    stop: { signal: 'SIGKILL', after: 'I wait.' },
  },
]

async function recordAll(part = ''): Promise<void> {
  const cli = await installAgentCli('gemini')
  if ('missing' in cli) throw new Error(cli.missing)
  const folder = fileURLToPath(new URL(`fixtures/gemini-${cli.version}/`, import.meta.url))
  await mkdir(folder, { recursive: true })
  const index: Record<string, object> = {}
  for (const situation of situations.filter(({ name }) => name.includes(part))) {
    const { argv, stdout, stderr, exit } = await record(cli.path, situation)
    await writeFile(join(folder, `${situation.name}.jsonl`), stdout)
    index[situation.name] = { argv, exit, stderr }
    console.log(`${situation.name}: ${stdout.split('\n').length - 1} lines, exit ${exit.code ?? exit.signal}`)
  }
  if (!part) await writeFile(join(folder, 'index.json'), `${JSON.stringify(index, null, 2)}\n`)
}

async function record(program: string, { prompt, env: more, before, stop, argv: wish = [] }: Situation) {
  await using model = await startStandInModel()
  const home = await realpath(await mkdtemp(join(tmpdir(), 'baton-fixture-')))
  const cwd = join(home, 'shop')
  await mkdir(cwd)
  const env = { ...(await withGeminiEnvironment(model, home)), ...more }
  const [mode = 'auto_edit', name = 'gemini-2.5-pro', session = before ? 'resume' : 'session-id'] = wish
  const common = ['-o', 'stream-json', '--skip-trust', '--approval-mode', mode, '-m', name]
  const argv = [...common, `--${session}`, sessionId]
  try {
    if (before) await play(program, [...common, '--session-id', sessionId], { cwd, env }, before)
    const { code, signal, stdout, stderr } = await play(program, argv, { cwd, env }, prompt, stop)
    const neutral = neutralWords(home, model.url)
    return {
      argv,
      stdout: numbered(neutral(stdout)),
      stderr: withoutPlaces(neutral(stderr)),
      exit: { code, signal },
    }
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Its ids of tool calls hold the time. */
function numbered(text: string): string {
  const ids = new Map<string, number>()
  return text.replaceAll(/_\d{13}_\d+/g, (id) => {
    ids.set(id, ids.get(id) ?? ids.size + 1)
    return `_${ids.get(id)}`
  })
}

/** Its stack traces name places of the machine, and the objects beside them its ports. */
function withoutPlaces(text: string): string {
  return text
    .replaceAll(/^ +at .*\n/gm, '')
    .replaceAll(/(localPort|remotePort|bytesWritten|bytesRead): \d+/g, '$1: 1')
}

async function play(
  program: string,
  argv: string[],
  place: { cwd: string; env: Record<string, string> },
  prompt: string,
  stop?: Situation['stop'],
) {
  const child = spawn(program, argv, { ...place, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdin.on('error', () => {})
  child.stdin.end(prompt)
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString()
    if (stop && stdout.includes(`"${stop.after}"`)) child.kill(stop.signal)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout, stderr }
}

if (import.meta.main) await recordAll(process.argv[2])
