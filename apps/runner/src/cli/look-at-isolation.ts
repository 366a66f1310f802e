import { askProgram } from '../agents/ask-program.ts'
import { findExecutable } from '../agents/find-executable.ts'
import { askVersion, lastLine, listEngines } from '../sandbox/engine.ts'
import { type Check, ok, warning } from './doctor.ts'

/** Which sandboxes and container engines agents of this machine can be given. None of them is needed. */
export async function lookAtIsolation(environment: NodeJS.ProcessEnv): Promise<Check[]> {
  const [sandbox, engines] = await Promise.all([lookAtBubblewrap(environment), lookAtEngines(environment)])
  return [sandbox, ...engines]
}

async function lookAtBubblewrap(environment: NodeJS.ProcessEnv): Promise<Check> {
  const file = await findExecutable('bwrap', environment.PATH ?? '')
  if (file === null) return ok('sandbox', 'bubblewrap (bwrap) is not installed; agents run without it')
  const args = ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', 'true']
  const tried = await askProgram(file, args, { PATH: environment.PATH ?? '' })
  if (tried.answered && tried.exitCode === 0) return ok('sandbox', `bubblewrap works (${file})`)
  return warning(
    'sandbox',
    `bubblewrap is there and cannot make a sandbox (${tried.answered ? `exit code ${tried.exitCode}` : tried.why}).`,
    'Let unprivileged users make namespaces, or use containers.',
  )
}

async function lookAtEngines(environment: NodeJS.ProcessEnv): Promise<Check[]> {
  const engines = await listEngines(environment)
  if (engines.length === 0) return [ok('containers', 'neither docker nor podman is installed')]
  return Promise.all(
    engines.map(async (engine) => {
      const asked = await askVersion(engine, 5_000)
      if (asked.ok) return ok('containers', `${engine.name} ${asked.stdout.trim()}`)
      const why = asked.timedOut ? 'no answer within 5 s' : lastLine(asked.stderr)
      return warning(
        'containers',
        `${engine.name} is installed and does not answer (${why})`,
        'Only agents with --container need it: start it, or let this user reach it.',
      )
    }),
  )
}
