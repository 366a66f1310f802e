import { git, OFFLINE, SAFE_OPTIONS } from '../git.ts'

/** The first of these names that is a commit in the repository, as its id. Nothing is fetched. */
export async function findCommit(commonDir: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]
    const answer = await git([...SAFE_OPTIONS, `--git-dir=${commonDir}`, ...args], {
      cwd: commonDir,
      env: OFFLINE,
    })
    const id = answer.stdout.toString('latin1').trim()
    if (answer.ok && /^[0-9a-f]{40,64}$/.test(id)) return id
  }
  return null
}

/** Where a ref that a person wrote may be meant, nearest first. */
export function namesOf(ref: string | null, isCopy: boolean): string[] {
  if (ref === null) return isCopy ? ['refs/baton/HEAD'] : ['HEAD']
  const remote = [`refs/remotes/origin/${ref}`]
  const local = [`refs/heads/${ref}`]
  const commit = /^[0-9a-f]{7,64}$/.test(ref) ? [ref] : []
  const whole = ref.startsWith('refs/') ? [isCopy ? `refs/baton/fetched/${ref}` : ref] : []
  return [...whole, ...(isCopy ? remote : [...local, ...remote]), `refs/tags/${ref}`, ...commit]
}
