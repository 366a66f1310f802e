import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { DemoOutput } from './demo-output.ts'

/** An exit code with which the agent ends there, or anything else: it goes on. */
type Step = (output: DemoOutput, rest: string) => Promise<unknown>

/** The lines of a prompt that start with `@demo `, in order: a script for tests. Other lines are left out. */
export function demoSteps(prompt: string): { mode: string; rest: string }[] {
  return prompt.split(/\r?\n/).flatMap((line) => {
    const [, mode, rest] = /^@demo\s+(\S+)(?:\s(.*))?$/.exec(line.trimEnd()) ?? []
    return mode === undefined ? [] : [{ mode, rest: rest ?? '' }]
  })
}

/** Resolves to the exit code with which the agent is to end, or null when it is to go on. */
export async function carryOutStep(output: DemoOutput, mode: string, rest: string): Promise<number | null> {
  const step = Object.hasOwn(STEPS, mode) ? STEPS[mode] : undefined
  if (step === undefined)
    throw new Error(
      `The demo agent does not know "@demo ${mode}". It knows ${Object.keys(STEPS).join(', ')}.`,
    )
  const end = await step(output, rest)
  return typeof end === 'number' ? end : null
}

const STEPS: Record<string, Step> = {
  ok: (output) => output.say('Fine.'),
  async fail(output, rest) {
    await output.result('It was told to fail.', true)
    return Number(rest || 1)
  },
  async nothing() {
    return 0
  },
  async hang() {
    // A promise alone keeps no process alive.
    setInterval(() => {}, 60_000)
    await new Promise(() => {})
  },
  sleep: (_, rest) => wait(Number(rest)),
  async pause(output, rest) {
    output.pauseMs = Number(rest)
  },
  async write(output, rest) {
    const [, path = '', text = ''] = /^(\S+)\s?(.*)$/.exec(rest) ?? []
    await output.tool('Write', { file_path: path, content: text }, async () => {
      await mkdir(dirname(resolve(path)), { recursive: true })
      await writeFile(path, `${text}\n`)
      return { value: undefined, shown: `Wrote ${path}.` }
    })
  },
  lines: (output, rest) => eachLine(rest, (at) => output.say(`line ${at}`), output),
  text: (output, rest) => eachLine(rest, (at) => output.raw(`plain line ${at}\n`), output),
  async flood(output, rest) {
    const line = `${'flood '.repeat(13)}\n`
    const block = Buffer.from(line.repeat(800))
    for (let left = byteCount(rest); left > 0; left -= block.length) await output.raw(block.subarray(0, left))
    await output.raw('\n')
  },
  async longline(output, rest) {
    const block = Buffer.alloc(65_536, 'x')
    for (let left = byteCount(rest); left > 0; left -= block.length) await output.raw(block.subarray(0, left))
    await output.raw('\n')
  },
  async ansi(output) {
    const text =
      '\u001b[1;31mred\u001b[0m \u001b]0;title\u0007\u001b]8;;https://example.com\u001b\\link\u001b]8;;\u001b\\\u0008\u009b2J\r'
    await output.raw(`${text}\n`)
    await output.say(text)
  },
  async badtext(output) {
    await output.raw(Buffer.from([0x66, 0x6f, 0xff, 0xfe, 0xc3, 0x28, 0x0a]))
    await output.raw('NUL \u0000 here\n')
    await output.say('lone \ud800 surrogate and NUL \u0000')
  },
  async 'ignore-term'(output) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
    await output.raw('ignoring signals\n')
  },
  fork: (output) => leaveBehind(output, false, 'ignore'),
  setsid: (output) => leaveBehind(output, true, 'ignore'),
  'leak-stdout': (output) => leaveBehind(output, true, 'inherit'),
  async 'close-stdout'() {
    closeSync(1)
  },
  async crash() {
    process.abort()
  },
}

async function eachLine(
  rest: string,
  print: (at: number) => Promise<void>,
  output: DemoOutput,
): Promise<void> {
  const [count = 3, everyMs = output.pauseMs] = rest.split(/\s+/).filter(Boolean).map(Number)
  const pauseMs = output.pauseMs
  output.pauseMs = 0
  for (let at = 1; at <= count; at++) {
    await print(at)
    if (everyMs > 0) await wait(everyMs)
  }
  output.pauseMs = pauseMs
}

/** `2000`, `64k`, `10m`, `1g`: in powers of 1024. */
function byteCount(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kmg]?)$/i.exec(text.trim()) ?? []
  if (digits === undefined) throw new Error(`"${text}" is no number of bytes.`)
  return Number(digits) * 1_024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase())
}

/** A process that lives on. With `apart` it is in a session of its own and the one between has gone (a double fork). */
async function leaveBehind(output: DemoOutput, apart: boolean, stdout: 'ignore' | 'inherit'): Promise<void> {
  const stay = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 60_000)'
  const between = `const { spawn } = require("node:child_process")
    const child = spawn(process.execPath, ["-e", ${JSON.stringify(stay)}], { detached: true, stdio: ["ignore", "inherit", "ignore"] })
    child.unref()
    process.send(child.pid)
    process.disconnect()`
  if (!apart) {
    const child = spawn(process.execPath, ['-e', stay], { stdio: 'ignore' })
    child.unref()
    return output.say(`left behind ${child.pid}`)
  }
  const first = spawn(process.execPath, ['-e', between], {
    detached: true,
    stdio: ['ignore', stdout, 'ignore', 'ipc'],
  })
  const pid = await new Promise<unknown>((tell) => first.once('message', tell))
  await new Promise((done) => first.once('exit', done))
  await output.say(`left behind ${String(pid)}`)
}
