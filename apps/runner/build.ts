import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * Builds `dist/`: the `baton` command with everything it needs, and the two programs that it starts as processes of their
 * own. Code of a command is in a chunk that is loaded when the command is called. No source maps.
 */
const here = import.meta.dirname
const programs = {
  baton: 'src/main.ts',
  'supervise-main': 'src/processes/supervise-main.ts',
  'demo-agent': 'src/agents/demo/demo-agent.ts',
}

rmSync(join(here, 'dist'), { recursive: true, force: true })
await build({
  absWorkingDir: here,
  entryPoints: Object.fromEntries(
    Object.entries(programs).filter(([, file]) => existsSync(join(here, file))),
  ),
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: false,
  minify: true,
  keepNames: true,
  // Packages in CommonJS ask for Node's own modules with `require`.
  banner: {
    js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
})
