import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const sdk = join(import.meta.dirname, '..')
const installed = join(sdk, '../../node_modules')

/** A project elsewhere, with the package and what its manifest names, and nothing else of this repository. */
let project: string
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'baton-sdk-user-'))
  const own = join(project, 'node_modules/@baton/sdk')
  await run(process.execPath, [join(sdk, 'package/build.ts'), own])
  const { dependencies } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8'))
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    const at = join(project, 'node_modules', name)
    await mkdir(dirname(at), { recursive: true })
    await symlink(join(installed, name), at)
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
})
afterAll(() => rm(project, { recursive: true, force: true }))

const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] }

async function check(program: string): Promise<string> {
  await writeFile(join(project, 'program.ts'), program)
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...options, lib: ['es2024', 'esnext.disposable', 'dom'] },
      files: ['program.ts'],
    }),
  )
  const compiler = join(installed, '.bin/tsc')
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` }
  const answer = await run(compiler, ['-p', project], { env }).catch((error) => error)
  return answer.stdout
}

test('the example of its README has types where nothing of this repository is, libraries checked too', async () => {
  const readme = await readFile(join(sdk, 'README.md'), 'utf8')
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  expect(example).toContain("from '@baton/sdk'")
  expect(await check(example)).toBe('')
})

test('its types know what the relay takes and answers, also of the bare client', async () => {
  const program = `import { Baton, type JobView, type RunEvent } from '@baton/sdk'
    const baton = new Baton()
    export const jobs: JobView[] = await baton.jobs.list()
    export const count: number = (await baton.raw.runs.list.query({ limit: 1 })).items.length
    export const first: RunEvent | undefined = undefined
    // @ts-expect-error runs are created with a prompt
    await baton.runs.create({ agent: 'demo' })
    // @ts-expect-error a page has items
    export const wrong = (await baton.raw.runs.list.query({ limit: 1 })).rows`
  expect(await check(program)).toBe('')
})

test('it is loaded by Node as it stands, and verifies what it signed', async () => {
  const program = `import { Baton, webhooks } from '@baton/sdk'
    const secret = 'a secret that is long enough for everybody'
    const headers = webhooks.sign('{"a":1}', secret, 'baton')
    console.log(JSON.stringify([
      Baton.webhooks.verify('{"a":1}', headers, secret).ok,
      Baton.webhooks.verify('{"a":2}', headers, secret).ok,
    ]))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: project })
  expect(JSON.parse(stdout)).toEqual([true, false])
})

test('what is packed is the program, its types, its manifest, its README and its licence', async () => {
  const folder = join(project, 'node_modules/@baton/sdk')
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', folder], {
    env: { ...process.env, npm_config_update_notifier: 'false' },
    cwd: project,
  })
  const files: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path)
  expect(files.filter((file) => !file.startsWith('types/')).sort()).toEqual([
    'LICENSE',
    'README.md',
    'index.js',
    'package.json',
  ])
  expect(files).toContain('types/packages/sdk/src/index.d.ts')
  expect(files.filter((file) => file.includes('packages/db/'))).toEqual([])
})
