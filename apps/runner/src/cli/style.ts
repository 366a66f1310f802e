import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Colours a text for one stream: none without a terminal, and none with NO_COLOR. */
export type Style = (format: Format, text: string) => string

export function createStyle(stream: NodeJS.WriteStream): Style {
  return (format, text) => styleText(format, text, { stream, validateStream: true })
}

/** Without colours, whatever the stream. */
export const plain: Style = (_format, text) => text
