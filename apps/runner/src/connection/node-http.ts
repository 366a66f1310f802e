/**
 * Node's own HTTP clients. They must not be imported: an import of `node:http` makes all of its exports, the WebSocket
 * class among them, and with that loads undici and HTTP/2: 12 MB more in a runner that needs neither.
 */
export const httpFor = (url: string | URL): Pick<typeof import('node:http'), 'request' | 'globalAgent'> =>
  process.getBuiltinModule(/^(https|wss):/.test(String(url)) ? 'node:https' : 'node:http')
