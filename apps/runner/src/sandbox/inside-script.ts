/**
 * Ends the processes of one run inside a container and prints how many there were: those with the run's mark, and those
 * without any mark of Baton's, which belong to nobody else (a process may have emptied its environment to hide). It is
 * started as `sh -c <script> sh <mark> <signal>`, with a mark of its own, and needs nothing but a shell, tr and grep. Where
 * the first process is not the one that Baton's containers begin with, it does nothing: it must never run on a machine.
 */
export const INSIDE_SCRIPT = `
mark=$1; signal=$2; found=0
tr '\\0' '\\n' < /proc/1/environ | grep -qxF BATON_CALL=holder || exit 3
for p in /proc/[0-9]*; do
  pid=\${p#/proc/}
  [ "$pid" = 1 ] && continue
  [ "$pid" = $$ ] && continue
  read -r stat < "$p/stat" 2>/dev/null || continue
  case "\${stat##*) }" in Z*|X*) continue;; esac
  all=$(tr '\\0' '\\n' < "$p/environ" 2>/dev/null)
  [ -d "$p" ] || continue
  if printf '%s\\n' "$all" | grep -qxF "$mark"; then :
  elif printf '%s\\n' "$all" | grep -q '^BATON_'; then continue
  fi
  kill -"$signal" "$pid" 2>/dev/null && found=$((found + 1))
done
echo "$found"
`

/** What every call into a container carries that is no run. */
export const CALL_MARK = 'BATON_CALL'
