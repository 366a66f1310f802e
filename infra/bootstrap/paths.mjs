import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Where the pinned Node and the tools are after an install. */
export const bin = path.join(root, 'node_modules', '.bin')

/** What this script remembers; it goes with `node_modules`, so deleting that folder starts from nothing. */
export const memory = path.join(root, 'node_modules', '.baton')
