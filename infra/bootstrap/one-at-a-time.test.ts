import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-lock-'))
})

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

/** A program that does `work` with the lock; `log` is a file in which all of them write. */
function holder(work: string): ChildProcess {
  const script = `
    import fs from 'node:fs'
    import { withOneAtATime } from ${JSON.stringify(path.join(import.meta.dirname, 'one-at-a-time.mjs'))}
    const say = (text) => fs.appendFileSync(${JSON.stringify(path.join(folder, 'log'))}, text)
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    await withOneAtATime(async () => { ${work} }, ${JSON.stringify(path.join(folder, 'lock'))})`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
}

function log(): string {
  return fs.readFileSync(path.join(folder, 'log'), 'utf8')
}

test('of many commands at once one works at a time, and the lock is gone at the end', {
  timeout: 20_000,
}, async () => {
  const holders = Array.from({ length: 6 }, () => holder(`say('('); await wait(20); say(')')`))
  await Promise.all(holders.map((child) => once(child, 'exit')))
  expect(log()).toBe('()'.repeat(6))
  expect(fs.readdirSync(folder)).toEqual(['log'])
})

test('the lock of a command that was killed is taken over', { timeout: 20_000 }, async () => {
  const killed = holder(`say('killed '); console.log('in'); await wait(60_000)`)
  await once(killed.stdout as NodeJS.EventEmitter, 'data')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  await once(holder(`say('next')`), 'exit')
  expect(log()).toBe('killed next')
})

test('a stranger that was given the pid of a dead owner does not hold the lock', async () => {
  fs.mkdirSync(path.join(folder, 'lock'))
  fs.writeFileSync(path.join(folder, 'lock', 'owner'), `${process.pid} 1`)
  await once(holder(`say('next')`), 'exit')
  expect(log()).toBe('next')
})
