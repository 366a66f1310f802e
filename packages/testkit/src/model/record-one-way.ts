import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AgentCliName } from '../agents/agent-clis.ts'
import { driveOneWay, type StopWhen } from '../agents/drive-one-way.ts'
import { installAgentCli } from '../agents/install-agent-cli.ts'
import { neutralWords } from './neutral-words.ts'
import { startStandInModel } from './stand-in-model.ts'

export interface OneWaySituation {
  name: string
  /** What it shows, for the index of the fixtures. */
  shows: string
  prompt: string
  argv?: string[]
  env?: Record<string, string>
  /** The prompt of a run before it in the same home and folder, whose session it goes on with. */
  before?: string
  stop?: StopWhen
}

export interface OneWayCli {
  name: AgentCliName
  situations: OneWaySituation[]
  environment(model: { url: string }, home: string): Promise<Record<string, string>>
  argv(situation: OneWaySituation, session: string | null): string[]
  /** The session's id in what a run printed. */
  session: RegExp
  /** Replaces what differs between two recordings and is this CLI's own. */
  neutral(text: string): string
}

/** Drives a real CLI through each situation against a stand-in model and keeps what it wrote under `fixtures/`. */
export async function recordOneWay(cli: OneWayCli, part = ''): Promise<void> {
  const installed = await installAgentCli(cli.name)
  if ('missing' in installed) throw new Error(installed.missing)
  const folder = fileURLToPath(new URL(`fixtures/${cli.name}-${installed.version}/`, import.meta.url))
  await mkdir(folder, { recursive: true })
  const index: Record<string, object> = {}
  for (const situation of cli.situations.filter(({ name }) => name.includes(part))) {
    const { argv, stdout, stderr, exit } = await record(installed.path, cli, situation)
    await writeFile(join(folder, `${situation.name}.jsonl`), stdout)
    index[situation.name] = { shows: situation.shows, argv, exit, stderr }
    console.log(`${situation.name}: ${stdout.split('\n').length - 1} lines, exit ${exit.code ?? exit.signal}`)
  }
  if (!part) await writeFile(join(folder, 'index.json'), `${JSON.stringify(index, null, 2)}\n`)
}

async function record(program: string, cli: OneWayCli, situation: OneWaySituation) {
  await using model = await startStandInModel()
  const home = await realpath(await mkdtemp(join(tmpdir(), 'baton-fixture-')))
  const cwd = join(home, 'shop')
  await mkdir(cwd)
  const env = { ...(await cli.environment(model, home)), ...situation.env }
  try {
    let session: string | null = null
    if (situation.before !== undefined) {
      const earlier = await driveOneWay(program, cli.argv(situation, null), { cwd, env }, situation.before)
      session = cli.session.exec(earlier.stdout)?.[1] ?? null
    }
    const argv = cli.argv(situation, session)
    const run = await driveOneWay(program, argv, { cwd, env }, situation.prompt, situation.stop)
    const neutral = neutralWords(home, model.url)
    const clean = (text: string) => cli.neutral(neutral(text))
    const { code, signal } = run
    // stdout first: ids are numbered in the order in which they come.
    const stdout = clean(run.stdout)
    return { stdout, argv: argv.map(clean), stderr: clean(run.stderr), exit: { code, signal } }
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 })
  }
}
