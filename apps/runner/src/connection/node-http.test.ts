import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'

const CONNECT = `
  import { exchangeToken } from '${new URL('./exchange-token.ts', import.meta.url).href}'
  import { openSocketLink } from '${new URL('./socket-link.ts', import.meta.url).href}'
  const url = process.argv[1]
  const never = new AbortController().signal
  const { token, machineName } = await exchangeToken(url, 'key', never)
  const link = await openSocketLink(url, token, never)
  link.close()
  const heavy = process.moduleLoadList.filter((name) => /undici|http2/.test(name))
  console.log(JSON.stringify({ machineName, heavy }))`

test('a runner connects without what is behind fetch, which would stay in its memory', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    const machineId = 'mch_00000000000070008000000000000000'
    const data = { token: 'token', expiresAt: 1, machineId, machineName: 'laptop' }
    response.end(JSON.stringify({ result: { data } }))
  })
  const sockets = new WebSocketServer({ server })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const args = ['--input-type=module', '--eval', CONNECT, url]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(JSON.parse(stdout)).toEqual({ machineName: 'laptop', heavy: [] })
    expect(asked).toEqual(['POST /trpc/runner.token Bearer key'])
  } finally {
    sockets.close()
    server.close()
  }
}, 30_000)
