import { fileURLToPath } from 'node:url'

const isBundle = !import.meta.url.endsWith('.ts')

/** What `node` runs to be the `baton` command once more: the source in a checkout, else the bundle. */
export const entryFile = fileURLToPath(new URL(isBundle ? './baton.mjs' : './main.ts', import.meta.url))

/** The relay's command in a checkout. An installed runner has none. */
export const relayEntryFile = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
