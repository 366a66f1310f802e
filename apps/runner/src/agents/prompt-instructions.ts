/** The prompt with the agent's instructions before it, for agents that take no system prompt of ours. */
export function withInstructions(instructions: string, prompt: string): string {
  if (instructions.trim() === '') return prompt
  return `<instructions>\n${instructions.trim()}\n</instructions>\n\n${prompt}`
}
