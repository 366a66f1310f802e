import type { Message } from '../output-sender.ts'

/** Slack shows about this much before it folds a message; it cuts at 40,000 without saying so. */
const LONGEST = 3_800

/** A message in Slack's mrkdwn, with everything escaped that Slack would act upon (`<!channel>`, links, mentions). */
export function slackText({ subject, body, format }: Message, runUrl: string): string {
  const title = `*${escapeSlack(subject).replaceAll('*', '∗')}*`
  const text = escapeSlack(
    cut(body.startsWith(subject) ? body.slice(subject.length).trimStart() : body, runUrl),
  )
  if (format === 'json') return `${title}\n\`\`\`\n${text.replaceAll('```', "'''")}\n\`\`\``
  return `${title}\n${format === 'markdown' ? toMrkdwn(text) : text}`
}

/** The three characters that Slack asks to escape: `<` begins every mention, link and command. */
export const escapeSlack = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function cut(text: string, runUrl: string): string {
  if (text.length <= LONGEST) return text
  return `${text.slice(0, LONGEST).toWellFormed()}\n… ${text.length - LONGEST} more characters at ${runUrl}`
}

/** Bold, headings and links are written otherwise in Slack. Links lead to http(s) only. */
function toMrkdwn(text: string): string {
  return text
    .replace(/\*\*([^*\n]+)\*\*/g, '*$1*')
    .replace(/^#{1,6} +(.+)$/gm, '*$1*')
    .replace(/\[([^\]\n]{1,500})\]\((https?:\/\/[^\s)|]{1,2000})\)/g, '<$2|$1>')
    .replace(/^(\s*)[-*] /gm, '$1• ')
}
