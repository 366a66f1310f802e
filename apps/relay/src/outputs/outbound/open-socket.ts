import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import type { AllowList } from './allow-list.ts'
import { checkAddress, type Target } from './check-target.ts'

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<string[]>

export const resolveByDns: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

export type Opened =
  | { result: 'open'; socket: Socket; address: string }
  | { result: 'refused'; why: string }
  | { result: 'unreachable'; why: string }

/**
 * Connects to a checked target. A name is resolved once, every address of it must be allowed, exactly these addresses
 * are connected to, and the connected socket is asked once more where it ended: a name that changes its address in
 * between reaches nothing else. Nothing is written to the socket.
 */
export async function openSocket(
  target: Target,
  options: { allow: AllowList; resolve: Resolve; signal: AbortSignal },
): Promise<Opened> {
  const { allow, resolve, signal } = options
  const addresses = await addressesOf(target, resolve).catch((error: NodeJS.ErrnoException) => error)
  if (addresses instanceof Error) return unreachable(target, addresses)
  for (const address of addresses) {
    const refusal = checkAddress(target, address, allow)
    if (refusal !== null) return { result: 'refused', why: refusal }
  }
  let last: Opened = { result: 'unreachable', why: `${target.host} has no address.` }
  for (const address of addresses) {
    last = await connectTo(target, address, allow, signal)
    if (last.result !== 'unreachable' || signal.aborted) return last
  }
  return last
}

async function addressesOf(target: Target, resolve: Resolve): Promise<string[]> {
  return isIP(target.host) === 0 ? await resolve(target.host) : [target.host]
}

async function connectTo(
  target: Target,
  address: string,
  allow: AllowList,
  signal: AbortSignal,
): Promise<Opened> {
  const socket = connect({ host: address, port: target.port })
  // Whoever uses it learns of an error from what it does; between two uses nobody listens.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect', { signal })
  } catch (error) {
    socket.destroy()
    return unreachable(target, error as NodeJS.ErrnoException)
  }
  const reached = socket.remoteAddress ?? ''
  const refusal = checkAddress(target, reached, allow)
  if (refusal === null) return { result: 'open', socket, address: reached }
  socket.destroy()
  return { result: 'refused', why: refusal }
}

const REASONS: Record<string, string> = {
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the name service did not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ETIMEDOUT: 'it did not answer',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ABORT_ERR: 'it did not answer in time',
}

function unreachable({ host, port }: Target, error: NodeJS.ErrnoException): Opened {
  const reason = REASONS[error.code ?? ''] ?? error.message
  return { result: 'unreachable', why: `${host}:${port} cannot be reached: ${reason}.` }
}
