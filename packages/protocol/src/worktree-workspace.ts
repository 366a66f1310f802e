/** A workspace text `worktree:<absolute folder or URL>[#ref]`, taken apart. */
export type WorktreeWorkspace = { repository: string; ref: string | null }

const PREFIX = 'worktree:'

export function isWorktreeWorkspace(workspace: string | null): boolean {
  return workspace?.startsWith(PREFIX) === true
}

/**
 * The repository and the ref after its last `#` (a `#` of a folder's own name is written `%23`). A text names one
 * problem when it cannot be meant: a relative folder, another protocol than https, http, ssh, git@ or file, a password in
 * the address (it would be stored and shown), or a ref that git would not take.
 */
export function parseWorktreeWorkspace(workspace: string): WorktreeWorkspace | { problem: string } {
  const rest = workspace.slice(PREFIX.length)
  const mark = rest.lastIndexOf('#')
  const ref = mark === -1 ? null : rest.slice(mark + 1)
  const repository = (mark === -1 ? rest : rest.slice(0, mark)).replaceAll('%23', '#')
  const problem = problemOfRepository(repository) ?? (ref === null ? null : problemOfRef(ref))
  return problem === null ? { repository, ref } : { problem }
}

export function isRepositoryUrl(repository: string): boolean {
  return !repository.startsWith('/') && !repository.startsWith('~') && !/^[A-Za-z]:[\\/]/.test(repository)
}

function problemOfRepository(repository: string): string | null {
  if (/\p{Cc}/u.test(repository)) return 'leave out control characters'
  if (!isRepositoryUrl(repository)) return null
  if (/^[\w.][\w.-]*@[\w.][\w.-]*:[^-:\s][^\s]*$/.test(repository)) return null
  const url = URL.canParse(repository) ? new URL(repository) : null
  if (!url || !['https:', 'http:', 'ssh:', 'file:'].includes(url.protocol))
    return 'give an absolute folder, or an address like https://github.com/you/project or git@github.com:you/project'
  if (url.password !== '' || (url.username !== '' && url.protocol !== 'ssh:'))
    return 'leave the name and password out of the address: git on that machine signs in by itself'
  if (url.hostname.startsWith('-') || /(^|\/)\.\.?(\/|$)/.test(repository.replace(/^\w+:\/\//, '')))
    return 'give the plain address of the repository'
  return null
}

function problemOfRef(ref: string): string | null {
  const isRef = /^[A-Za-z0-9_][\w./@+-]{0,254}$/.test(ref) && !/\.\.|@\{|\/\/|\.lock(\/|$)|[/.]$/.test(ref)
  return isRef ? null : 'after # give a branch, a tag or a commit'
}
