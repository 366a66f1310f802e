import { connect } from 'node:net'

/** Sends bytes as they are and gives all status lines that come back before the server is silent or closes. */
export function sendRaw(port: number, bytes: Buffer, { end }: { end: boolean }): Promise<number[]> {
  const { promise, resolve } = Promise.withResolvers<number[]>()
  let answer = ''
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const finish = () => {
    clearTimeout(timer)
    socket.destroy()
    resolve([...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1])))
  }
  // Some requests never end by themselves: that nothing comes back is their answer.
  const timer = setTimeout(finish, 1_500)
  socket.on('connect', () => (end ? socket.end(bytes) : socket.write(bytes)))
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.on('error', finish).on('close', finish)
  return promise
}
