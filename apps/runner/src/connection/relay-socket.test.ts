import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { RelaySocket } from './relay-socket.ts'

const ACCEPT = 'Sec-WebSocket-Accept'

/** The bytes of the first frame of a socket to this machine, opened under another name where one is given. */
async function firstFrame(hostname: string): Promise<Buffer> {
  const frame = Promise.withResolvers<Buffer>()
  const server = createServer((socket) => {
    socket.once('data', (request) => {
      const key = /sec-websocket-key: (\S+)/i.exec(String(request))?.[1] ?? ''
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      socket.once('data', frame.resolve)
      const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
      socket.write(`${[...head, `${ACCEPT}: ${accept}`].join('\r\n')}\r\n\r\n`)
    })
  })
  server.listen(0)
  await once(server, 'listening')
  const socket = new RelaySocket(`ws://${hostname}:${(server.address() as AddressInfo).port}/trpc`)
  try {
    await once(socket, 'open')
    socket.send('hello')
    return await frame.promise
  } finally {
    socket.terminate()
    server.close()
  }
}

test('what goes through a network in clear is masked, what stays on this machine has a mask of zeros', async () => {
  const [inside, outside] = [await firstFrame('127.0.0.1'), await firstFrame('0.0.0.0')]
  expect([inside.length, outside.length]).toEqual([11, 11])
  expect(inside.subarray(2).toString()).toBe('\0\0\0\0hello')
  expect(outside.subarray(6).toString()).not.toBe('hello')
})
