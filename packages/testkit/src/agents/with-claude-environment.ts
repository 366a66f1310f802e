import { mkdir, mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The whole environment for one run of Claude Code against a stand-in model: nothing of the caller's own gets in, since
 * its `IS_SANDBOX`, `CLAUDECODE` or `ANTHROPIC_*` would change what the CLI does. The home is made if it is not there;
 * every call makes a TMPDIR of its own below it.
 */
export async function withClaudeEnvironment(
  model: { url: string },
  home: string,
): Promise<Record<string, string>> {
  await mkdir(home, { recursive: true })
  return {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    TMPDIR: await mkdtemp(join(home, 'tmp-')),
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'stand-in',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  }
}
