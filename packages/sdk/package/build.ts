/**
 * Makes `packages/sdk/dist` (or the folder that is named): the SDK as a package for programs outside of this repository,
 * with plain JavaScript and types that need nothing of it.
 *
 *   npm run package -w @baton/sdk && npm pack ./packages/sdk/dist
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { writeDeclarations } from './declarations.ts'

const sdk = join(import.meta.dirname, '..')
const root = join(sdk, '../..')
const dist = process.argv[2] ?? join(sdk, 'dist')
type Manifest = { version: string; license: string; dependencies: Record<string, string> }
const readManifest = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest

await rm(dist, { recursive: true, force: true })
await mkdir(dist, { recursive: true })
const [own, protocol, whole] = await Promise.all(
  [sdk, join(root, 'packages/protocol'), root].map(readManifest),
)
const isOutside = ([name]: [string, string]) => !name.startsWith('@baton/')
const dependencies = Object.fromEntries(
  [own, protocol].flatMap((manifest) => Object.entries(manifest?.dependencies ?? {}).filter(isOutside)),
)

await build({
  entryPoints: [join(sdk, 'src/index.ts')],
  outfile: join(dist, 'index.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  keepNames: true,
  external: Object.keys(dependencies),
  legalComments: 'none',
  logLevel: 'warning',
})
const types = await writeDeclarations(root, join(dist, 'types'))
await Promise.all([
  copyFile(join(sdk, 'README.md'), join(dist, 'README.md')),
  copyFile(join(root, 'LICENSE'), join(dist, 'LICENSE')),
  writeFile(
    join(dist, 'package.json'),
    `${JSON.stringify(
      {
        name: '@baton/sdk',
        version: own?.version,
        description:
          'The typed client of a Baton relay: start agent runs, follow them live, verify webhooks.',
        license: whole?.license,
        type: 'module',
        engines: { node: '>=22' },
        sideEffects: false,
        exports: {
          '.': { types: `./types/${types}`, default: './index.js' },
          './package.json': './package.json',
        },
        dependencies,
      },
      null,
      2,
    )}\n`,
  ),
])
