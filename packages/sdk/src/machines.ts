import type { MachineView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

export type Machines = {
  list(): Promise<MachineView[]>
  get(idOrName: string): Promise<MachineView>
  /** `key` is shown only here: give it to the runner on that machine. */
  create(input: { name: string }): Promise<{ machine: MachineView; key: string }>
  rename(id: string, name: string): Promise<MachineView>
  rotateKey(id: string): Promise<{ key: string }>
  /** It takes no new work until it is resumed; what runs there ends as usual. */
  drain(id: string): Promise<MachineView>
  resume(id: string): Promise<MachineView>
  revoke(id: string): Promise<MachineView>
  archive(id: string): Promise<MachineView>
}

export function createMachines(raw: Raw, call: Call): Machines {
  return {
    list: () => call(raw.machines.list.query()),
    get: (id) => call(raw.machines.get.query({ id })),
    create: (input) => call(raw.machines.create.mutate(input)),
    rename: (id, name) => call(raw.machines.rename.mutate({ id, name })),
    rotateKey: (id) => call(raw.machines.rotateKey.mutate({ id })),
    drain: (id) => call(raw.machines.drain.mutate({ id })),
    resume: (id) => call(raw.machines.resume.mutate({ id })),
    revoke: (id) => call(raw.machines.revoke.mutate({ id })),
    archive: (id) => call(raw.machines.archive.mutate({ id })),
  }
}
