/**
 * The demo agent: real, small work in a folder without a model, so that Baton can be tried without any account. It looks
 * at the folder, says what it finds as it goes, and writes BATON.md. The prompt comes on stdin, what started the run in
 * BATON_EVENT_PATH and its neighbours. `--pause <ms>` sets the pause between steps.
 *
 * A prompt with lines that start with `@demo ` is a script for tests instead (see demo-steps.ts).
 */
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { createDemoOutput, type DemoOutput } from './demo-output.ts'
import { carryOutStep, demoSteps } from './demo-steps.ts'
import { biggest, countTypes, findTodos, listFiles, readGit, readTitle } from './look-around.ts'
import { type Fired, MARK, sentence, summarize } from './summary.ts'

// A reader that has gone is no reason to print a stack trace into the terminal of whoever looks.
process.stdout.on('error', () => {})
process.exitCode = await main()

async function main(): Promise<number> {
  const pauseAt = process.argv.indexOf('--pause')
  const output = createDemoOutput(randomUUID(), pauseAt === -1 ? 150 : Number(process.argv[pauseAt + 1]))
  const prompt = await text(process.stdin)
  await output.start()
  try {
    const steps = demoSteps(prompt)
    return steps.length > 0 ? await playScript(output, steps) : await lookAround(output, prompt)
  } catch (cause) {
    await output.result(cause instanceof Error ? cause.message : String(cause), true)
    return 1
  }
}

async function playScript(output: DemoOutput, steps: { mode: string; rest: string }[]): Promise<number> {
  for (const { mode, rest } of steps) {
    const end = await carryOutStep(output, mode, rest)
    if (end !== null) return end
  }
  await output.result(`Did ${steps.map((step) => step.mode).join(', ')}.`, false)
  return 0
}

async function lookAround(output: DemoOutput, prompt: string): Promise<number> {
  const folder = process.cwd()
  const fired = await whatFired(prompt)
  await output.say(`A ${fired.source} event woke me. I look at ${folder} and write down what I find.`)
  const git = await output.tool(
    'Bash',
    { command: 'git branch --show-current && git log -5 --oneline' },
    async () => {
      const value = await readGit(folder)
      return {
        value,
        shown: value === null ? 'No git repository.' : [value.branch, ...value.commits].join('\n'),
      }
    },
  )
  const { files, complete } = await output.tool('Glob', { pattern: '**/*' }, async () => {
    const value = await listFiles(folder)
    const types = countTypes(value.files).map(([type, count]) => `${type} ${count}`)
    return { value, shown: [`${value.files.length} files`, ...types].join('\n') }
  })
  const todos = await output.tool('Grep', { pattern: 'TODO|FIXME' }, async () => {
    const value = await findTodos(folder, files)
    return { value, shown: [`${value.count} found`, ...value.first].join('\n') }
  })
  const title = await readTitle(folder, files)
  const found = { title, git, files, complete, types: countTypes(files), biggest: biggest(files), todos }
  const report = summarize(folder, fired, found)
  const file = await ownFile()
  await output.tool('Write', { file_path: file, content: report }, async () => {
    await writeFile(file, report)
    return { value: undefined, shown: `Wrote ${Buffer.byteLength(report)} bytes to ${file}.` }
  })
  await output.say(sentence(found, file))
  await output.result(sentence(found, file), false)
  return 0
}

async function whatFired(prompt: string): Promise<Fired> {
  const {
    BATON_EVENT_PATH: path,
    BATON_EVENT_SOURCE: source,
    BATON_JOB: job,
    BATON_ATTEMPT: attempt,
  } = process.env
  const body = path === undefined ? '' : await readFile(path, 'utf8').catch(() => '')
  return {
    source: source ?? 'manual',
    job: job ?? '',
    attempt: attempt ?? '1',
    prompt,
    event: body === '' ? null : body,
  }
}

/** BATON.md, or another name when somebody else wrote a file of that name. */
async function ownFile(): Promise<string> {
  const there = await readFile('BATON.md', 'utf8').catch(() => null)
  return there === null || there.startsWith(MARK) ? 'BATON.md' : 'BATON.demo.md'
}
