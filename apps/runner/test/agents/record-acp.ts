import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  installAgentCli,
  startStandInModel,
  withGeminiEnvironment,
  withOpencodeEnvironment,
} from '@baton/testkit'
import { RECORDED, type Recording, recordedDelivery } from './acp-recordings.ts'
import { makePlaces, runAgent } from './run-agent.ts'

/*
 * Makes the recordings of `fixtures/acp-*.json` again: drives the real agents through the driver against a stand-in model.
 *
 *   node apps/runner/test/agents/record-acp.ts
 */
async function record(
  cli: 'gemini' | 'opencode',
  one: (typeof RECORDED)['gemini'][number],
): Promise<Recording> {
  const installed = await installAgentCli(cli)
  if ('missing' in installed) throw new Error(installed.missing)
  await using model = await startStandInModel()
  await using place = await makePlaces()
  const withEnvironment = cli === 'gemini' ? withGeminiEnvironment : withOpencodeEnvironment
  const environment = await withEnvironment(model, place.home)
  const args = cli === 'gemini' ? ['--acp', '--skip-trust', '-m', 'gemini-2.5-pro'] : ['acp']
  const { stdout, stdin, end } = await runAgent({
    delivery: recordedDelivery(one),
    cwd: place.cwd,
    tmpDir: place.tmpDir,
    eventFile: place.eventFile,
    agentFolder: null,
    policy: {
      commands: { it: { argv: [installed.path, ...args], format: 'acp' } },
      environment: ['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'OPENCODE_DISABLE_MODELS_FETCH'],
    },
    environment,
  })
  const root = dirname(place.cwd)
  const neutral = (text: string) => text.replaceAll(root, '/home/dev').replaceAll(root.slice(1), 'home/dev')
  const { outcome, errorKind, result } = end
  return {
    ...one,
    outcome,
    errorKind,
    cwd: neutral(place.cwd),
    stdout: neutral(stdout.toString()),
    stdin: neutral(stdin),
    result,
  }
}

const folder = fileURLToPath(new URL('fixtures/', import.meta.url))
await mkdir(folder, { recursive: true })
for (const cli of ['gemini', 'opencode'] as const) {
  const recordings: Recording[] = []
  for (const one of RECORDED[cli]) {
    const recording = await record(cli, one)
    console.log(`${cli} ${one.name}: ${recording.outcome} ${recording.errorKind ?? ''}`)
    recordings.push(recording)
  }
  await writeFile(`${folder}acp-${cli}.json`, `${JSON.stringify(recordings, null, 2)}\n`)
}
