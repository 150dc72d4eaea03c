# shellcheck shell=bash
# What setup, test and demo share: progress lines, ccache, waiting. Sourced, never run.

oombox_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Clones in other folders hit the same cache.
export CCACHE_BASEDIR=$oombox_root CCACHE_NOHASHDIR=1
oombox_preset=${OOMBOX_PRESET:-dev} # .ci/run sets ci: warnings are errors
export OOMBOX_CACHE=${OOMBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oombox}

bold='' red='' green='' yellow='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
fi

step() { printf '%s[%4ds] %s%s\n' "$bold" "$SECONDS" "$*" "$plain"; }
note() { printf '        %s\n' "$*"; }
warn() { printf '%s%s%s\n' "$yellow" "$*" "$plain" >&2; }
good() { printf '%s%s%s\n' "$green" "$*" "$plain"; }
die() {
  printf '%s%s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# quietly LOG COMMAND...: runs it with its output in LOG; shows the end of LOG when it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null || {
    tail -n 40 "$log" >&2
    die "failed: $* (all of it in $log)"
  }
}

# Thins out ninja's status lines where they would not overwrite each other: one every ten seconds.
thin_progress() {
  local line next=0
  while IFS= read -r line; do
    if [[ $line == \[*s\]* ]]; then
      ((SECONDS >= next)) || continue
      next=$((SECONDS + 10))
    fi
    printf '%s\n' "$line"
  done
}

# build_preset PRESET [TARGET...]: configures and builds.
build_preset() {
  local preset=$1 folder=$oombox_root/build/$1
  shift
  mkdir -p "$folder"
  step "configuring preset $preset"
  (cd "$oombox_root" && quietly "$folder/configure.log" cmake --preset "$preset")
  step "building${*:+ $*}"
  local -a build=(cmake --build "$folder" ${*:+--target "$@"})
  if [ -t 1 ]; then
    NINJA_STATUS='[%f/%t %es] ' "${build[@]}"
  else
    NINJA_STATUS='[%f/%t %es] ' "${build[@]}" 2>&1 | thin_progress
  fi
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
