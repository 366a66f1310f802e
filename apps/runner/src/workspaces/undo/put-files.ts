import { randomUUID } from 'node:crypto'
import { chmod, lstat, mkdir, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { type BytePath, under } from '../changes/byte-path.ts'
import type { PrivateGit } from '../changes/private-git.ts'
import type { PutBack } from './plan-undo.ts'

const IDS_AT_ONCE = 50
const MOST_BYTES = 512 * 1024 * 1024

/**
 * Puts files as they are planned: what has to go first, then what comes, each by rename. No link is followed: a path whose
 * folder is one was planned as absent, and the link itself is among what goes.
 */
export async function putFiles(git: PrivateGit, plan: readonly PutBack[]): Promise<void> {
  const going = plan.filter(({ to }) => to === null).map(({ path }) => path)
  for (const path of going.toSorted().toReversed()) await removeFile(git.root, path)
  const coming = plan.flatMap(({ path, to }) => (to === null ? [] : [{ path, ...to }]))
  for (let at = 0; at < coming.length; at += IDS_AT_ONCE) {
    const some = coming.slice(at, at + IDS_AT_ONCE)
    const contents = await readBlobs(git, [...new Set(some.map(({ id }) => id))])
    for (const { path, mode, id } of some) await putFile(git.root, path, mode, contents.get(id) as Buffer)
  }
}

async function removeFile(root: string, path: BytePath): Promise<void> {
  await rm(under(root, path), { force: true })
  const parts = path.split('/')
  for (let count = parts.length - 1; count > 0; count -= 1) {
    const isGone = await rmdir(under(root, parts.slice(0, count).join('/'))).then(
      () => true,
      () => false, // it holds something else
    )
    if (!isGone) return
  }
}

async function putFile(root: string, path: BytePath, mode: string, content: Buffer): Promise<void> {
  await makeFolders(root, path)
  const place = under(root, path)
  const aside = Buffer.concat([place, Buffer.from(`.baton-${randomUUID().slice(0, 8)}`)])
  const before = await lstat(place).catch(() => null)
  try {
    if (mode === '120000') await symlink(content, aside)
    else {
      await writeFile(aside, content, { flag: 'wx' })
      const kept = before?.isFile() ? before.mode & 0o666 : 0o644
      await chmod(aside, mode === '100755' ? kept | ((kept & 0o444) >> 2) : kept)
    }
    if (before?.isDirectory()) await rmdir(place)
    await rename(aside, place)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

/** Real folders only: whatever stands in a folder's place is in nobody's plan, and ends this with an error. */
async function makeFolders(root: string, path: BytePath): Promise<void> {
  const parts = path.split('/')
  for (let count = 1; count < parts.length; count += 1) {
    const folder = under(root, parts.slice(0, count).join('/'))
    const found = await lstat(folder).catch(() => null)
    if (found === null) {
      await mkdir(folder)
      await chmod(folder, 0o755)
    } else if (!found.isDirectory()) throw new Error(`${folder.toString('utf8')} is not a folder any more`)
  }
}

/** The answer of `cat-file --batch`: `id blob size LF content LF` for each. */
async function readBlobs(git: PrivateGit, ids: string[]): Promise<Map<string, Buffer>> {
  const answer = await git.ask(['cat-file', '--batch'], {
    input: `${ids.join('\n')}\n`,
    maxBytes: MOST_BYTES,
    limitMs: 60_000,
  })
  if (!answer.ok) throw new Error(`the kept content cannot be read: ${answer.stderr}`)
  const contents = new Map<string, Buffer>()
  let at = 0
  for (const id of ids) {
    const end = answer.stdout.indexOf(10, at)
    const [, type, size] = answer.stdout.subarray(at, end).toString('latin1').split(' ')
    if (type !== 'blob') throw new Error(`the content ${id} is not there any more: git has thrown it away`)
    contents.set(id, Buffer.from(answer.stdout.subarray(end + 1, end + 1 + Number(size))))
    at = end + 2 + Number(size)
  }
  return contents
}
