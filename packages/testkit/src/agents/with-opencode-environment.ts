import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The whole environment for one run of opencode against a stand-in model, which it knows as `standin/stand-in`. */
export async function withOpencodeEnvironment(
  model: { url: string },
  home: string,
): Promise<Record<string, string>> {
  const settings = join(home, '.config', 'opencode')
  await mkdir(settings, { recursive: true })
  await writeFile(join(settings, 'opencode.json'), JSON.stringify(configFor(model.url)))
  return {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    TMPDIR: await mkdtemp(join(home, 'tmp-')),
    LANG: 'C.UTF-8',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
  }
}

function configFor(url: string): object {
  const name = 'standin/stand-in'
  return {
    model: name,
    small_model: name,
    share: 'disabled',
    autoupdate: false,
    provider: {
      standin: {
        npm: '@ai-sdk/openai-compatible',
        options: { baseURL: `${url}/v1`, apiKey: 'stand-in' },
        models: {
          'stand-in': { limit: { context: 200_000, output: 32_000 }, cost: { input: 3, output: 15 } },
        },
      },
    },
  }
}
