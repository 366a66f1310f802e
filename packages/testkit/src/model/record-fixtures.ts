import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ClaudeExit, driveClaude } from '../agents/drive-claude.ts'
import { installAgentCli } from '../agents/install-agent-cli.ts'
import { withClaudeEnvironment } from '../agents/with-claude-environment.ts'
import { neutralWords } from './neutral-words.ts'
import { oneWay } from './one-way-situations.ts'
import { type Situation, sessionId } from './situations.ts'
import { startStandInModel } from './stand-in-model.ts'
import { twoWay } from './two-way-situations.ts'

/*
 * Makes the transcripts under `fixtures/` again: drives the real Claude Code through every situation against a stand-in
 * model and keeps what it wrote. Run it when the pinned version changes, and read the difference:
 *
 *   node packages/testkit/src/model/record-fixtures.ts [part of a name]
 */
const common = ['-p', '--output-format', 'stream-json', '--verbose', '--permission-mode', 'acceptEdits']
const closed = ['--model', 'sonnet', '--setting-sources', 'user', '--strict-mcp-config']
const bothWays = ['--input-format', 'stream-json', '--permission-prompt-tool', 'stdio']

interface Recording {
  argv: string[]
  stdout: string[]
  stdin: string[]
  exit: ClaudeExit
}

async function recordAll(part = ''): Promise<void> {
  const cli = await installAgentCli('claude')
  if ('missing' in cli) throw new Error(cli.missing)
  const folder = fileURLToPath(new URL(`fixtures/claude-${cli.version}/`, import.meta.url))
  await mkdir(folder, { recursive: true })
  const index: Record<string, object> = {}
  for (const situation of [...oneWay, ...twoWay]) {
    if (!situation.name.includes(part)) continue
    const { argv, stdout, stdin, exit } = await record(cli.path, situation)
    await writeFile(join(folder, `${situation.name}.jsonl`), lines(stdout))
    if (stdin.length > 0) await writeFile(join(folder, `${situation.name}.stdin.jsonl`), lines(stdin))
    const { code, signal, stderr } = exit
    index[situation.name] = { shows: situation.shows, argv, exit: { code, signal }, stderr }
    console.log(`${situation.name}: ${stdout.length} lines, exit ${code ?? signal}, ${exit.tookMs} ms`)
  }
  if (!part) await writeFile(join(folder, 'index.json'), `${JSON.stringify(index, null, 2)}\n`)
}

async function record(program: string, situation: Situation): Promise<Recording> {
  await using model = await startStandInModel()
  const home = await realpath(await mkdtemp(join(tmpdir(), 'baton-fixture-')))
  const cwd = join(home, 'shop')
  await mkdir(cwd)
  await writeFile(join(cwd, 'README.md'), '# Shop\n')
  const env = { ...(await withClaudeEnvironment(model, home)), ...situation.env }
  try {
    const session = situation.argv?.includes('--resume') ? [] : ['--session-id', sessionId]
    const mode = twoWay.includes(situation) ? bothWays : []
    const argv = [...common, ...mode, ...closed, ...session, ...(situation.argv ?? [])]
    if (situation.before) {
      await using earlier = driveClaude(program, [...common, ...closed, '--session-id', sessionId], {
        cwd,
        env,
      })
      earlier.end(situation.before)
      await earlier.exited
    }
    await using claude = driveClaude(program, argv, { cwd, env })
    if (situation.drive) await situation.drive(claude)
    else claude.end(situation.prompt)
    const exit = await claude.exited
    const neutral = neutralWords(home, model.url)
    return {
      argv,
      stdout: claude.stdout.map(neutral),
      stdin: claude.stdin.map(neutral),
      exit: { ...exit, stderr: neutral(exit.stderr) },
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

function lines(all: string[]): string {
  return all.map((line) => `${line}\n`).join('')
}

if (import.meta.main) await recordAll(process.argv[2])
