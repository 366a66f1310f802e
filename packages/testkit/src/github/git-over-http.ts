import { execFile, spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { authenticateCaller } from './authenticate-caller.ts'
import type { GithubWorld, Repository } from './github-world.ts'

const run = promisify(execFile)

/**
 * `/<owner>/<name>.git/…` by git's own `http-backend`, for callers whose token reaches the repository and may write its
 * contents. Answers false when the path is none of these.
 */
export async function answerGit(
  world: GithubWorld,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const match = /^\/([^/]+)\/([^/]+)\.git(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(
    url.pathname,
  )
  if (!match) return false
  const repository = world.repositories.find((one) => one.owner === match[1] && one.name === match[2])
  if (!repository?.gitFolder || !mayPush(world, request, repository)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end()
    return true
  }
  await serve(repository.gitFolder, `${match[3]}`, url.search.slice(1), request, response)
  await readHeads(repository)
  return true
}

function mayPush(world: GithubWorld, request: IncomingMessage, repository: Repository): boolean {
  try {
    const caller = authenticateCaller(world, request.headers.authorization)
    return (
      caller.kind === 'installation' &&
      caller.token.repositoryIds.includes(repository.id) &&
      caller.token.permissions.contents === 'write'
    )
  } catch {
    return false
  }
}

async function serve(
  folder: string,
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const child = spawn('git', ['-c', 'http.receivepack=true', 'http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      GIT_PROJECT_ROOT: dirname(folder),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${folder.slice(dirname(folder).length + 1)}${path}`,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: 'x-access-token',
      REMOTE_ADDR: '127.0.0.1',
      ...(request.headers['content-encoding'] && {
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding']),
      }),
      ...(request.headers['git-protocol'] && { HTTP_GIT_PROTOCOL: String(request.headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  request.pipe(child.stdin)
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
  const answer = Buffer.concat(chunks)
  const end = answer.indexOf('\r\n\r\n')
  const headers = new Map(
    answer
      .subarray(0, end)
      .toString('latin1')
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  const status = Number((headers.get('status') ?? '200').split(' ')[0])
  headers.delete('status')
  response.writeHead(status, Object.fromEntries(headers)).end(answer.subarray(end + 4))
}

/** The branches as they are in the folder now, for the API. */
export async function readHeads(repository: Repository): Promise<void> {
  if (!repository.gitFolder) return
  const { stdout } = await run('git', [
    '-C',
    repository.gitFolder,
    'for-each-ref',
    '--format=%(refname:lstrip=2) %(objectname)',
    'refs/heads',
  ])
  repository.heads = new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ') as [string, string]),
  )
}
