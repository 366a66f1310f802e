import { spawnSync } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { installHookScript } from './hook-script.ts'

test('a push says when the program that its hook calls was moved, and goes on', async () => {
  await using hooks = await mkdtempDisposable(join(tmpdir(), 'baton-hooks-'))
  const moved = join(hooks.path, "moved '; exit 9; '", 'node')
  const push = () => {
    const { status, stderr } = spawnSync(join(hooks.path, 'pre-push'), ['origin', 'url'], { input: 'refs\n' })
    return { status, said: String(stderr) }
  }
  await installHookScript(hooks.path, 'pre-push', { command: [moved, 'baton'], home: undefined })
  expect(push()).toEqual({ status: 0, said: expect.stringContaining(`${moved} is gone`) })
  await writeFile(join(hooks.path, 'pre-push.before-baton'), '#!/bin/sh\nexit 3\n', { mode: 0o755 })
  expect(push()).toEqual({ status: 3, said: '' })
  await installHookScript(hooks.path, 'pre-push', { command: ['/bin/true'], home: undefined })
  await writeFile(join(hooks.path, 'pre-push.before-baton'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  expect(push()).toEqual({ status: 0, said: '' })
})
