import { connect } from 'node:net'

export type RawAnswer = { statuses: number[]; eventIds: string[] }

/** Sends bytes as they are and gives what comes back before the server is silent or closes. */
export function sendRaw(port: number, bytes: Buffer, { end }: { end: boolean }): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>()
  let answer = ''
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const finish = () => {
    clearTimeout(timer)
    socket.destroy()
    resolve({
      statuses: [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1])),
      eventIds: [...answer.matchAll(/"eventId":"(evt_[0-9a-f]{32})"/g)].map((match) => match[1] ?? ''),
    })
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
