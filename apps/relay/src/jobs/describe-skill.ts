/** What a skill is for, in one line: the `description` of its front matter, else its first line of text. */
export function describeSkill(text: string): string {
  const front = /^---\r?\n([\s\S]*?)\r?\n---\r?\n?/.exec(text)
  const said = /^description:[ \t]*(.+)$/m
    .exec(front?.[1] ?? '')?.[1]
    ?.trim()
    .replace(/^(["'])(.*)\1$/, '$2')
  const first = text
    .slice(front?.[0].length ?? 0)
    .split('\n')
    .map((line) => line.replace(/^#+\s*/, '').trim())
    .find((line) => line !== '')
  return (said || first || '').slice(0, 500).toWellFormed()
}
