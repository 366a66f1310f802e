import { expect, test } from 'vitest'
import { parseDiff } from './parse-diff.ts'

test('lines have their numbers before and after, and hunks their headings', () => {
  const diff = `diff --git a/src/x.ts b/src/x.ts
index 1..2 100644
--- a/src/x.ts
+++ b/src/x.ts
@@ -3,3 +3,4 @@ function run() {
 same
-old
+new
+newer
 end
@@ -20 +21 @@
-last
\\ No newline at end of file
+last
`
  const file = parseDiff(diff).get('src/x.ts')
  expect(file?.hunks.map(({ heading }) => heading)).toEqual(['function run() {', ''])
  expect(file?.hunks[0]?.lines).toEqual([
    { kind: 'same', text: 'same', before: 3, after: 3 },
    { kind: 'removed', text: 'old', before: 4, after: null },
    { kind: 'added', text: 'new', before: null, after: 4 },
    { kind: 'added', text: 'newer', before: null, after: 5 },
    { kind: 'same', text: 'end', before: 5, after: 6 },
  ])
  expect(file?.hunks[1]?.lines.map(({ kind }) => kind)).toEqual(['removed', 'note', 'added'])
})

test('content that looks like a header stays content', () => {
  const diff = `diff --git a/x b/x
--- a/x
+++ b/x
@@ -1,2 +1,3 @@
 diff --git a/y b/y
+@@ -9 +9 @@
+--- a/z
-+++ b/z
`
  const files = parseDiff(diff)
  expect([...files.keys()]).toEqual(['x'])
  expect(files.get('x')?.hunks).toHaveLength(1)
  expect(files.get('x')?.hunks[0]?.lines.map(({ text }) => text)).toEqual([
    'diff --git a/y b/y',
    '@@ -9 +9 @@',
    '--- a/z',
    '+++ b/z',
  ])
})

test('files that were added, deleted, renamed, changed in mode or are not text', () => {
  const diff = `diff --git a/added b/added
new file mode 100644
--- /dev/null
+++ b/added
@@ -0,0 +1 @@
+x
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/before b/after
similarity index 100%
rename from before
rename to after
diff --git a/with blank b/with blank
old mode 100644
new mode 100755
diff --git a/image b/image
Binary files a/image and b/image differ
`
  const files = parseDiff(diff)
  expect([...files.keys()]).toEqual(['added', 'gone', 'after', 'with blank', 'image'])
  expect(files.get('image')?.binary).toBe(true)
})

test('names in quotes are read back', () => {
  const diff = `diff --git "a/new\\nline" "b/new\\nline"
--- "a/new\\nline"
+++ "b/new\\nline"
@@ -1 +1 @@
-x
+y
diff --git "a/q\\"\\303\\274\\\\" "b/q\\"\\303\\274\\\\"
old mode 100644
new mode 100755
diff --git a/tab at end b/tab at end
--- a/tab at end\t
+++ b/tab at end\t
@@ -1 +1 @@
-x
+y
`
  expect([...parseDiff(diff).keys()]).toEqual(['new\nline', 'q"ü\\', 'tab at end'])
})
