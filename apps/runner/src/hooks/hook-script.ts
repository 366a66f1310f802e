import { chmod, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { BatonError } from '@baton/protocol'
import type { HookName } from './hook-config.ts'

/** The line by which our hook is known. */
const MARK = '# baton hook: "baton hook git uninstall" takes this out and puts back what was here.'
/** What stood there before goes on beside ours. */
const beside = (file: string) => `${file}.before-baton`

/**
 * Puts our hook in place. One that is there already is kept beside it and runs first, with the same words and the same
 * input; when it refuses a push, ours does nothing and the push is refused as before.
 */
export async function installHookScript(
  hooks: string,
  name: HookName,
  baton: { command: string[]; home: string | undefined },
): Promise<'installed' | 'chained' | 'was there'> {
  await mkdir(hooks, { recursive: true })
  const file = join(hooks, name)
  const script = hookScript(name, baton)
  const there = await readHook(file)
  if (there?.includes(MARK)) {
    await write(file, script)
    return 'was there'
  }
  if (there !== null) {
    if (await exists(beside(file)))
      throw new BatonError('conflict', `${beside(file)} is there already: look at it, and move it away.`)
    await rename(file, beside(file))
  }
  await write(file, script)
  return there === null ? 'installed' : 'chained'
}

/** Takes our hook out and puts back what was there before. A hook that is not ours is left alone. */
export async function removeHookScript(hooks: string, name: HookName): Promise<boolean> {
  const file = join(hooks, name)
  if (!(await readHook(file))?.includes(MARK)) return false
  if (await exists(beside(file))) await rename(beside(file), file)
  else await rm(file, { force: true })
  return true
}

/**
 * Runs the other hook first, then leaves what was pushed to the command in the background: a push never waits for the
 * relay, and never fails because of us. The input is kept to its last byte, line ends included. Where Node or Baton was moved
 * or taken away since, whoever pushes is told.
 */
function hookScript(
  name: HookName,
  { command, home }: { command: string[]; home: string | undefined },
): string {
  return `#!/bin/sh
${MARK}
input=$(cat; echo x)
input=\${input%x}
if [ -x "$0.before-baton" ]; then
  printf '%s' "$input" | "$0.before-baton" "$@" || exit $?
fi
for file in ${command.filter(isAbsolute).map(quote).join(' ')}; do
  [ -e "$file" ] && continue
  echo "baton: $file is gone, so nobody is told of this push, which goes on. Install the hook again: baton hook git install" >&2
  exit 0
done
${home ? `BATON_HOME=${quote(home)}\nexport BATON_HOME\n` : ''}(printf '%s' "$input" | ${command.map(quote).join(' ')} hook git fire ${name} "$@") >/dev/null 2>&1 &
exit 0
`
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

async function readHook(file: string): Promise<string | null> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

async function write(file: string, text: string) {
  const aside = `${file}.new`
  await writeFile(aside, text, { mode: 0o755 })
  await chmod(aside, 0o755)
  await rename(aside, file)
}

const exists = (file: string) =>
  lstat(file).then(
    () => true,
    () => false,
  )
