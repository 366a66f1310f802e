import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Another program where a relay was expected. */
export async function serveStranger() {
  const server = createServer((_, response) => {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<!DOCTYPE html>\n<p>Not here')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
