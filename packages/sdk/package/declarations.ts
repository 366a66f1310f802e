import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'

const ENTRY = 'packages/sdk/src/index.d.ts'
const WORKSPACES = ['packages/sdk', 'packages/protocol', 'packages/webhooks', 'apps/relay']
/** What the router's type says of the relay's inside, which no client can see: it is left out. */
const INSIDE = [
  ['import("./context.ts").ApiContext', 'object'],
  ['import("../rest/rest-place.ts").RestMeta', 'object'],
] as const

/**
 * Writes the declarations that the SDK's types reach, and only those, below `folder`, with relative imports in place of
 * the repository's package names. Returns the path of the entry. Throws when they reach a package that a user of the
 * SDK does not have.
 */
export async function writeDeclarations(root: string, folder: string): Promise<string> {
  const emitted = await mkdtemp(join(tmpdir(), 'baton-sdk-types-'))
  try {
    await emitDeclarations(root, emitted)
    const entries = await workspaceEntries(root)
    const waiting = [ENTRY]
    for (const file of waiting) {
      const text = await readFile(join(emitted, file), 'utf8')
      const { rewritten, reached } = rewrite(file, text, entries)
      waiting.push(...reached.filter((one) => !waiting.includes(one)))
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), rewritten)
    }
    return ENTRY
  } finally {
    await rm(emitted, { recursive: true, force: true })
  }
}

async function emitDeclarations(root: string, outDir: string): Promise<void> {
  const compiler = join(root, 'node_modules/.bin/tsc')
  const project = join(root, 'packages/sdk/tsconfig.package.json')
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` }
  await promisify(execFile)(compiler, ['-p', project, '--outDir', outDir], { env }).catch((error) => {
    throw new Error(`The declarations of the SDK could not be made:\n${error.stdout}${error.stderr}`)
  })
}

/** `@baton/protocol/view-schemas` → `packages/protocol/src/view-schemas.d.ts` */
async function workspaceEntries(root: string): Promise<Map<string, string>> {
  const entries = new Map<string, string>()
  for (const workspace of WORKSPACES) {
    const manifest = JSON.parse(await readFile(join(root, workspace, 'package.json'), 'utf8'))
    for (const [at, file] of Object.entries<string>(manifest.exports))
      entries.set(join(manifest.name, at), join(workspace, declarationOf(file)))
  }
  return entries
}

function rewrite(file: string, text: string, entries: Map<string, string>) {
  const reached: string[] = []
  let rest = text
  for (const [inside, instead] of INSIDE) rest = rest.replaceAll(inside, instead)
  const rewritten = rest.replace(
    /(\bfrom |\bimport\(|^import )(["'])([@.][^"']+)\2/gm,
    (whole, before: string, quote: string, name: string) => {
      const target = name.startsWith('.') ? declarationOf(join(dirname(file), name)) : entries.get(name)
      if (!target) {
        if (!name.startsWith('@baton/')) return whole
        throw new Error(`${file} of the SDK's types needs ${name}, which is not part of it.`)
      }
      reached.push(target)
      const to = relative(dirname(file), target)
        .split(sep)
        .join('/')
        .replace(/\.d\.ts$/, '.js')
      return `${before}${quote}${to.startsWith('.') ? to : `./${to}`}${quote}`
    },
  )
  return { rewritten, reached }
}

const declarationOf = (file: string) => file.replace(/\.ts$/, '.d.ts')
