import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'

const vitest = path.resolve(import.meta.dirname, '../../../node_modules/vitest/vitest.mjs')

const setup = path.join(import.meta.dirname, 'leaks.ts')

interface Outcome {
  passed: boolean
  output: string
}

/** Runs vitest on one test file of its own with the leak check. */
async function runTestFile(body: string): Promise<Outcome> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-leaks-'))
  const config = { test: { setupFiles: [setup], teardownTimeout: 2_000 } }
  fs.writeFileSync(
    path.join(folder, 'some.test.mjs'),
    `import { test } from ${JSON.stringify(vitestModule)}\n${body}`,
  )
  fs.writeFileSync(path.join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)}`)
  const outcome = await run(['run', '--root', folder])
  fs.rmSync(folder, { recursive: true, force: true })
  return outcome
}

function run(args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [vitest, ...args], { env: cleanEnvironment() }, (error, stdout, stderr) =>
      resolve({ passed: error === null, output: stdout + stderr }),
    )
  })
}

const vitestModule = path.join(path.dirname(vitest), 'dist', 'index.js')

/** Without what the outer vitest has put there. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' }
}

test.concurrent.each([
  [
    'a listening socket',
    `import net from 'node:net'\ntest('x', () => { net.createServer().listen(0) })`,
    'TCPServerWrap',
  ],
  ['a timer', `test('x', () => { setTimeout(() => {}, 60_000) })`, 'Timeout'],
  [
    'a child process',
    `import { spawn } from 'node:child_process'\ntest('x', () => { spawn('sleep', ['7']) })`,
    'sleep 7',
  ],
  [
    'a process that was detached',
    `import { spawn } from 'node:child_process'\ntest('x', () => { spawn('sh', ['-c', 'sleep 8 &'], { detached: true, stdio: 'ignore' }).unref() })`,
    'sleep 8',
  ],
])('a test file that leaves %s behind fails', { timeout: 30_000 }, async (_, body, named) => {
  const { passed, output } = await runTestFile(body)
  expect(output).toContain('left behind by this test file')
  expect(output).toContain(named)
  expect(passed).toBe(false)
})

test('a test file that closes what it opened passes', async () => {
  const { passed, output } = await runTestFile(`
    import net from 'node:net'
    test('x', async () => {
      const server = net.createServer().listen(0)
      await new Promise((resolve) => server.once('listening', resolve))
      await new Promise((resolve) => server.close(resolve))
    })`)
  expect(output).not.toContain('left behind')
  expect(passed).toBe(true)
})
