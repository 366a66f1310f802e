import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { generateSecret, signRequest, verifySignature } from '../index.ts'

test('the documented curl line sends a request that is accepted, and only with the right secret', async () => {
  const secret = generateSecret('baton')
  await using receiver = await startReceiver(secret)
  const line = await documentedLine('../../README.md')

  const first = JSON.parse(await shell(line, { BATON_HOOK_URL: receiver.url, BATON_HOOK_SECRET: secret }))
  expect(first).toMatchObject({ answer: { ok: true, signedId: true }, body: '{"ref":"main"}' })

  const other = { BATON_HOOK_URL: receiver.url, BATON_HOOK_SECRET: generateSecret('baton') }
  expect(JSON.parse(await shell(line, other))).toMatchObject({
    answer: { ok: false, reason: 'wrong_signature' },
  })
})

test('the line stands word for word in the doc comment too', async () => {
  expect(await documentedLine('./baton.ts')).toBe(await documentedLine('../../README.md'))
})

test('headers that a client repeats arrive apart and are refused', async () => {
  const secret = generateSecret('baton')
  await using receiver = await startReceiver(secret)
  const signed = signRequest({ scheme: 'baton', secret, id: null, timestampMs: Date.now(), body: '{}' })
  const header = `X-Baton-Signature: ${signed['x-baton-signature']}`
  const line = 'curl -sS "$URL" -H "$HEADER" -H "$OTHER" --data-binary "{}"'

  const once = await shell(line, { URL: receiver.url, HEADER: header, OTHER: 'X-Nothing: 1' })
  expect(JSON.parse(once)).toMatchObject({ answer: { ok: true } })
  const twice = await shell(line, {
    URL: receiver.url,
    HEADER: header,
    OTHER: header.replace('X-Baton', 'x-bATON'),
  })
  expect(JSON.parse(twice)).toMatchObject({ answer: { ok: false, reason: 'duplicate_header' } })
})

async function documentedLine(file: string): Promise<string> {
  const source = await readFile(new URL(file, import.meta.url), 'utf8')
  const line = /^(?: \* )?(BODY=.*)$/m.exec(source)?.[1]
  if (line === undefined) throw new Error(`${file} documents no curl line.`)
  return line
}

async function startReceiver(secret: string): Promise<{ url: string } & AsyncDisposable> {
  const answerTo = async (request: IncomingMessage) => {
    const rawBody = await buffer(request)
    const { headersDistinct: headers } = request
    const answer = verifySignature({
      scheme: 'baton',
      secrets: [secret],
      headers,
      rawBody,
      nowMs: Date.now(),
    })
    return JSON.stringify({ answer, body: rawBody.toString() })
  }
  const server = createServer((request, response) => {
    answerTo(request).then(
      (answer) => response.end(answer),
      (error) => response.destroy(error),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/test`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a shell line prints; it fails with what the line wrote to stderr. */
async function shell(line: string, variables: Record<string, string>): Promise<string> {
  const child = spawn('sh', ['-c', line], {
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('close', resolve).on('error', reject),
  )
  const [printed, complaint, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (code !== 0) throw new Error(`The shell line ended with ${code}: ${complaint}`)
  return printed
}
