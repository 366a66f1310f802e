import { QUESTION_TOOL } from '@baton/protocol'
import { type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import type { JsonValue } from './runtime.ts'

/** What a person decides about: the exact command, the path and what is to be written there, or the question itself. */
export function summaryOf(tool: string, input: Fields): string {
  if (tool === QUESTION_TOOL) return questionsOf(input).map(questionText).join('\n\n')
  const command = textOf(input.command)
  if (command !== null) return command
  const path = textOf(input.file_path) ?? textOf(input.notebook_path) ?? textOf(input.path)
  if (path === null) return textOf(input.url) ?? jsonText(input)
  return [path, ...changeOf(input)].join('\n')
}

/** What is to be written: whole, or what is taken away and what comes instead. */
function changeOf(input: Fields): string[] {
  const whole = textOf(input.content) ?? textOf(input.new_source)
  if (whole !== null) return [marked('+', whole)]
  const edits = input.edits === undefined ? [input] : listOf(input.edits).map(fieldsOf)
  return edits.flatMap((edit) => {
    const before = textOf(edit.old_string)
    const after = textOf(edit.new_string)
    return before === null || after === null ? [] : [marked('-', before), marked('+', after)]
  })
}

const marked = (mark: string, text: string) =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((one) => `${mark} ${one}`)
    .join('\n')

/** A person's answers, as the question tool takes them: line by line, the last line for all that are left. */
export function questionAnswers(
  tool: string,
  input: Fields,
  message: string | null,
): { answers?: { [question: string]: JsonValue } } {
  if (tool !== QUESTION_TOOL || message === null) return {}
  const questions = questionsOf(input)
  const lines = questions.length > 1 ? message.split('\n').filter((one) => one.trim() !== '') : [message]
  const answers = questions.map((question, at) => [
    textOf(question.question) ?? '',
    (lines[at] ?? lines.at(-1) ?? '').trim(),
  ])
  return { answers: Object.fromEntries(answers) as { [question: string]: JsonValue } }
}

const questionsOf = (input: Fields) => listOf(input.questions).map(fieldsOf)

function questionText(question: Fields): string {
  const options = listOf(question.options)
    .map(fieldsOf)
    .map(({ label, description }) => [textOf(label), textOf(description)].filter(Boolean).join(': '))
  return [textOf(question.question) ?? '', ...options.map((option) => `- ${option}`)].join('\n')
}
