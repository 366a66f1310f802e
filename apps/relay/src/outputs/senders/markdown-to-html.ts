/**
 * The part of Markdown that mail shows: paragraphs, headings, lists, code, bold and links. Everything is escaped first, so
 * that no text of an agent or a payload becomes a tag or an attribute, and links lead to http(s) only.
 */
export function markdownToHtml(markdown: string): string {
  const parts = markdown.replaceAll('\r\n', '\n').split(/^```.*$/m)
  return parts.map((part, index) => (index % 2 === 1 ? code(part) : blocks(part))).join('\n')
}

export const escapeHtml = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

const code = (text: string) => `<pre>${escapeHtml(text.replace(/^\n|\n$/g, ''))}</pre>`

function blocks(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .map(block)
    .join('\n')
}

function block(text: string): string {
  const heading = /^(#{1,6}) +([^\n]+)$/.exec(text)
  if (heading) return `<h${heading[1]?.length}>${inline(heading[2] ?? '')}</h${heading[1]?.length}>`
  const lines = text.split('\n')
  if (lines.every((line) => /^\s*[-*] /.test(line))) {
    return `<ul>${lines.map((line) => `<li>${inline(line.replace(/^\s*[-*] /, ''))}</li>`).join('')}</ul>`
  }
  return `<p>${lines.map(inline).join('<br>')}</p>`
}

function inline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\[([^\]]+)\]\((https?:\/\/[^\s()<>]+)\)/g, '<a href="$2" rel="noopener">$1</a>')
}
