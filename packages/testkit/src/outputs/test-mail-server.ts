import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type ReceivedMail = {
  from: string
  to: string[]
  source: string
  secure: boolean
  user: string | null
}

export interface TestMailServer extends AsyncDisposable {
  host: string
  port: number
  received: ReceivedMail[]
  /** What comes of the next messages, in this order: an answer of the server, or no answer after it has taken it. */
  next(...reactions: ({ code: number; message: string } | 'lose')[]): void
}

/** A real SMTP server on loopback, with or without STARTTLS and sign-in. */
export async function startTestMailServer(
  options: {
    /** STARTTLS with a certificate that nobody has signed. */ selfSigned?: boolean
    auth?: { user: string; password: string }
  } = {},
): Promise<TestMailServer> {
  const received: ReceivedMail[] = []
  let planned: ({ code: number; message: string } | 'lose')[] = []
  const server = new SMTPServer({
    disabledCommands: [...(options.selfSigned ? [] : ['STARTTLS']), ...(options.auth ? [] : ['AUTH'])],
    authOptional: !options.auth,
    allowInsecureAuth: true,
    logger: false,
    onAuth: ({ username, password }, _, done) => {
      const isRight = username === options.auth?.user && password === options.auth?.password
      done(
        isRight ? null : new Error('Invalid username or password'),
        isRight ? { user: username ?? '' } : undefined,
      )
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const reaction = planned.shift()
        if (reaction !== undefined && reaction !== 'lose') {
          return done(Object.assign(new Error(reaction.message), { responseCode: reaction.code }))
        }
        received.push({
          from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
          to: session.envelope.rcptTo.map(({ address }) => address),
          source: Buffer.concat(chunks).toString('utf8'),
          secure: session.secure,
          user: session.user ? String(session.user) : null,
        })
        if (reaction === 'lose') {
          const { connections } = server as SMTPServer & {
            connections: Set<{ _socket: { destroy(): void } }>
          }
          for (const connection of connections) connection._socket.destroy()
          return
        }
        done()
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    host: '127.0.0.1',
    port: (server.server.address() as AddressInfo).port,
    received,
    next: (...reactions) => {
      planned = [...planned, ...reactions]
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
