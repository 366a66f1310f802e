import { setTimeout as wait } from 'node:timers/promises'

/** What the demo agent prints: the stream-json of Claude Code, so that the runner reads it like the real thing. */
export type DemoOutput = {
  /** Pause between steps, so that a person sees them come. */
  pauseMs: number
  start(): Promise<void>
  say(text: string): Promise<void>
  /** A tool call with its result; `work` is what the tool really does. */
  tool<T>(name: string, input: object, work: () => Promise<{ value: T; shown: string }>): Promise<T>
  result(text: string, isError: boolean): Promise<void>
  /** Bytes as they stand. Waits while the reader of the pipe is behind. */
  raw(bytes: string | Uint8Array): Promise<void>
}

export function createDemoOutput(sessionId: string, startPauseMs: number): DemoOutput {
  const startedAt = Date.now()
  let calls = 0
  const raw = (bytes: string | Uint8Array) =>
    new Promise<void>((resolve) => {
      process.stdout.write(bytes, () => resolve())
    })
  const event = (fields: object) => raw(`${JSON.stringify({ ...fields, session_id: sessionId })}\n`)
  const content = (type: string, block: object) =>
    event({ type, message: { role: type, content: [block] }, parent_tool_use_id: null })

  const output: DemoOutput = {
    pauseMs: startPauseMs,
    raw,
    start: () =>
      event({ type: 'system', subtype: 'init', cwd: process.cwd(), model: 'demo', tools: ['Bash', 'Write'] }),
    async say(text) {
      await content('assistant', { type: 'text', text })
      await wait(output.pauseMs)
    },
    async tool(name, input, work) {
      const id = `demo_${++calls}`
      await content('assistant', { type: 'tool_use', id, name, input })
      try {
        const { value, shown } = await work()
        await wait(output.pauseMs)
        await content('user', { type: 'tool_result', tool_use_id: id, content: shown })
        return value
      } catch (cause) {
        await content('user', {
          type: 'tool_result',
          tool_use_id: id,
          content: String(cause),
          is_error: true,
        })
        throw cause
      }
    },
    result: (text, isError) =>
      event({
        type: 'result',
        subtype: isError ? 'error_during_execution' : 'success',
        is_error: isError,
        terminal_reason: isError ? 'failed' : 'completed',
        result: text,
        num_turns: 1,
        duration_ms: Date.now() - startedAt,
        total_cost_usd: 0,
        usage: {
          input_tokens: 0,
          output_tokens: 0,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
        },
        model_usage_since_last_result: {},
        permission_denials: [],
      }),
  }
  return output
}
