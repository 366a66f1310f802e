import { readFile } from 'node:fs/promises'

/** File systems on which the kernel tells nobody what another machine changes. */
const REMOTE =
  /^(nfs4?|cifs|smb3?|smbfs|9p|afs|ceph|glusterfs|drvfs|fuse\.(sshfs|s3fs|rclone|glusterfs|davfs)|virtiofs|vboxsf|prl_fs)$/

/** The kind of network file system that a folder is on, or null. `folder` has no links in it. */
export async function findNetworkMount(folder: string): Promise<string | null> {
  if (process.platform !== 'linux') return null
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return networkMountOf(table, folder)
}

/** The last of the longest mount points above the folder decides, as for the kernel. */
export function networkMountOf(mountinfo: string, folder: string): string | null {
  let best = { length: -1, type: '' }
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ')
    const point = unescape8(before?.split(' ')[4] ?? '')
    const type = after?.split(' ')[0] ?? ''
    const isAbove = point === '/' || folder === point || folder.startsWith(`${point}/`)
    if (point !== '' && isAbove && point.length >= best.length) best = { length: point.length, type }
  }
  return REMOTE.test(best.type) ? best.type : null
}

/** Spaces and the like stand there as `\040`. */
const unescape8 = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
