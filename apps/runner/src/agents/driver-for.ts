import type { Runtime } from '@baton/protocol'
import { acpDriver } from './acp.ts'
import { chatDriver } from './chat/chat.ts'
import { claudeDriver } from './claude.ts'
import { codexDriver } from './codex.ts'
import { commandDriver } from './command.ts'
import { geminiDriver } from './gemini.ts'
import { opencodeDriver } from './opencode.ts'
import type { RuntimeDriver } from './runtime.ts'

const drivers: readonly RuntimeDriver[] = [
  claudeDriver,
  codexDriver,
  geminiDriver,
  opencodeDriver,
  acpDriver,
  chatDriver,
  commandDriver,
]

/** The driver of a runtime, or null for one that this version cannot start. */
export function driverFor(runtime: Runtime): RuntimeDriver | null {
  return drivers.find((driver) => driver.runtime === runtime) ?? null
}
