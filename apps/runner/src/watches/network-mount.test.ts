import { expect, test } from 'vitest'
import { networkMountOf } from './network-mount.ts'

const table = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '40 22 0:35 / /mnt/team\\040share rw,relatime shared:20 - nfs4 server:/export rw',
  '41 40 8:2 / /mnt/team\\040share/local rw - ext4 /dev/sdb1 rw',
  '42 22 0:36 / /home/ada/box rw - fuse.sshfs box:/ rw',
].join('\n')

test.each([
  ['/home/ada/project', null],
  ['/mnt/team share', 'nfs4'],
  ['/mnt/team share/project', 'nfs4'],
  ['/mnt/team share/local/project', null],
  ['/mnt/team sharing', null],
  ['/home/ada/box/src', 'fuse.sshfs'],
])('%s lies on %s', (folder, type) => {
  expect(networkMountOf(table, folder)).toBe(type)
})
