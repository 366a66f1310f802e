import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The whole environment for one run of Gemini CLI against a stand-in model. Its settings stand in the home, since it
 * leaves out settings that another path names when others may write there, as in every folder for temporary files.
 */
export async function withGeminiEnvironment(
  model: { url: string },
  home: string,
): Promise<Record<string, string>> {
  await mkdir(join(home, '.gemini'), { recursive: true })
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    general: { maxAttempts: 2, enableAutoUpdate: false },
    privacy: { usageStatisticsEnabled: false },
  }
  await writeFile(join(home, '.gemini', 'settings.json'), JSON.stringify(settings))
  return {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    TMPDIR: await mkdtemp(join(home, 'tmp-')),
    LANG: 'C.UTF-8',
    GEMINI_API_KEY: 'stand-in',
    GOOGLE_GEMINI_BASE_URL: model.url,
    GEMINI_CLI_NO_RELAUNCH: 'true',
  }
}
