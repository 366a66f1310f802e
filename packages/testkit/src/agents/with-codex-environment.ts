import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The whole environment for one run of Codex against a stand-in model. Its settings stand in the home; the folder for
 * temporary files is no parent of them, since its sandbox starts no command then.
 */
export async function withCodexEnvironment(
  model: { url: string },
  home: string,
): Promise<Record<string, string>> {
  const settings = join(home, '.codex')
  await mkdir(settings, { recursive: true })
  await writeFile(
    join(settings, 'config.toml'),
    `openai_base_url = "${model.url}/v1"\ncheck_for_update_on_startup = false\n`,
  )
  return {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    CODEX_HOME: settings,
    TMPDIR: await mkdtemp(join(home, 'tmp-')),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    CODEX_API_KEY: 'stand-in',
    // What the driver has it log.
    RUST_LOG: 'error,codex_otel.trace_safe=info',
  }
}
