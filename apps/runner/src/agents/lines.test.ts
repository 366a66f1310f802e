import { describe, expect, test } from 'vitest'
import { createLineSplitter, linesOf, type Piece } from './lines.ts'

const bytes = (text: string) => Buffer.from(text)
const shown = (pieces: Piece[]) => pieces.map((piece) => `${piece.kind}:${piece.bytes.toString()}`)

describe('a line splitter', () => {
  test('passes on whole lines and holds the rest, whose offset stays uncommitted', () => {
    const lines = createLineSplitter()
    expect(shown(lines.push(bytes('one\ntw')))).toEqual(['lines:one\n'])
    expect(lines.offset()).toBe(4)
    expect(shown(lines.push(bytes('o\nthree\n')))).toEqual(['lines:two\nthree\n'])
    expect(lines.offset()).toBe(14)
    expect(lines.midLine()).toBe(false)
  })

  test('passes on a line that is too long in pieces, and the next line whole', () => {
    const lines = createLineSplitter(undefined, 8)
    expect(shown(lines.push(bytes('12345')))).toEqual([])
    expect(shown(lines.push(bytes('6789')))).toEqual(['part:123456789'])
    expect(shown(lines.push(bytes('ab')))).toEqual(['part:ab'])
    expect(lines.midLine()).toBe(true)
    expect(shown(lines.push(bytes('c\nnext\n')))).toEqual(['part:c\n', 'lines:next\n'])
  })

  test('never holds more than the limit and one chunk, whatever comes', () => {
    const lines = createLineSplitter(undefined, 1024 * 1024)
    const chunk = Buffer.alloc(64 * 1024, 'x')
    for (let count = 1; count <= 200; count++) {
      lines.push(chunk)
      expect(count * chunk.length - lines.offset()).toBeLessThanOrEqual(1024 * 1024 + chunk.length)
    }
  })

  test('goes on in the middle of a line that an earlier one passed on', () => {
    const lines = createLineSplitter({ offset: 100, midLine: true })
    expect(shown(lines.push(bytes(' the end\n{}\n')))).toEqual(['part: the end\n', 'lines:{}\n'])
    expect(lines.offset()).toBe(112)
  })

  test('does not tear a character when it is asked for what it holds', () => {
    const lines = createLineSplitter()
    lines.push(bytes('a€').subarray(0, 3))
    expect(shown(lines.flush())).toEqual(['part:a'])
    expect(shown(lines.push(bytes('€').subarray(2)))).toEqual(['part:€'])
  })

  test('passes on bytes that are no text at all without waiting for more', () => {
    const lines = createLineSplitter()
    lines.push(Buffer.from([0x80, 0x80, 0x80, 0x80]))
    expect(lines.flush()).toHaveLength(1)
    expect(lines.offset()).toBe(4)
  })

  test('gives the last line when it has no end, as a line', () => {
    const lines = createLineSplitter()
    lines.push(bytes('{"type":"result"}'))
    expect(shown(lines.end())).toEqual(['lines:{"type":"result"}'])
  })

  test('puts out every byte once, in order, however the stream is cut', () => {
    const stream = bytes('one\n\n€uro\r\nlast without end €')
    for (let size = 1; size <= stream.length; size++) {
      const lines = createLineSplitter(undefined, 6)
      const pieces: Piece[] = []
      for (let at = 0; at < stream.length; at += size) {
        pieces.push(...lines.push(stream.subarray(at, at + size)))
        if (at % 2 === 0) pieces.push(...lines.flush())
      }
      pieces.push(...lines.end())
      expect(Buffer.concat(pieces.map((piece) => piece.bytes))).toEqual(stream)
      expect(lines.offset()).toBe(stream.length)
    }
  })
})

test('the lines of a piece come without their line feeds, empty ones too', () => {
  expect([...linesOf(bytes('a\n\nb'))].map(String)).toEqual(['a', '', 'b'])
})
