import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { BatonError, triggerId } from '@baton/protocol'
import { z } from 'zod'
import { replaceFile } from '../journal/open-record-file.ts'
import { runGit } from './run-git.ts'

export const HOOK_NAMES = ['pre-push', 'post-receive'] as const
export type HookName = (typeof HOOK_NAMES)[number]

/** What our hook in a repository fires. It stands in the repository's git folder and holds no token. */
const hookConfig = z.object({
  fires: z.array(
    z.object({
      hook: z.enum(HOOK_NAMES),
      job: z.string().max(200),
      triggerId,
      profile: z.string().max(64),
      branches: z.array(z.string().min(1).max(300)).min(1).max(50),
    }),
  ),
})
export type HookConfig = z.infer<typeof hookConfig>
export type HookFire = HookConfig['fires'][number]

/** Where a repository keeps its hooks (core.hooksPath counts) and where ours keeps what it fires. */
export async function hookPlaces(repository: string): Promise<{ hooks: string; config: string }> {
  const [common = '', hooks = ''] = (
    await runGit(repository, [
      'rev-parse',
      '--path-format=absolute',
      '--git-common-dir',
      '--git-path',
      'hooks',
    ])
  )
    .trim()
    .split('\n')
  if (!isAbsolute(common)) throw new BatonError('bad_input', `${repository} is no git repository.`)
  return { hooks, config: join(common, 'baton-hooks.json') }
}

export async function readHookConfig(file: string): Promise<HookConfig> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return { fires: [] }
  try {
    return hookConfig.parse(JSON.parse(text))
  } catch (cause) {
    throw new BatonError('bad_input', `${file} cannot be read: take it away and install the hook again.`, {
      cause,
    })
  }
}

/** None left: no file either. */
export async function writeHookConfig(file: string, config: HookConfig): Promise<void> {
  if (config.fires.length === 0) return rm(file, { force: true })
  await mkdir(dirname(file), { recursive: true })
  const opened = await replaceFile(file, Buffer.from(`${JSON.stringify(config, null, 2)}\n`))
  await opened.close()
}
