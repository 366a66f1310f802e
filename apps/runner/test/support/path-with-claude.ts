import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A PATH on which `claude` is a script of `fixtures/`, kept in a folder of the test. */
export async function pathWithClaude(folder: string, script: string): Promise<string> {
  const bin = join(folder, 'bin')
  const file = fileURLToPath(new URL(`../fixtures/${script}`, import.meta.url))
  await mkdir(bin)
  await writeFile(join(bin, 'claude'), `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`, {
    mode: 0o755,
  })
  return [bin, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':')
}
