#!/bin/busybox sh
# shellcheck shell=dash disable=SC2154,SC2034,SC2317
# What the plays share: frames on the second serial port, waiting, the agent's life, growth, warnings. Sourced by init.

agent_dir=/tmp/state
collector_dir=/tmp/collector

argument() { # argument NAME: of oombox.NAME=VALUE on the kernel's command line
  sed -n "s/.*oombox\.$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

frame() { # frame NAME COMMAND...
  name=$1
  shift
  echo "OOMBOX-BEGIN $name" >&3
  "$@" >&3 2>>/tmp/errors
  echo >&3
  echo "OOMBOX-END $name" >&3
}

complain() { echo "$*" >>/tmp/errors; }

uptime_seconds() { cut -d. -f1 /proc/uptime; }

wait_until() { # wait_until SECONDS COMMAND...; by the uptime, because a play may set the clock
  deadline=$(($(uptime_seconds) + $1))
  shift
  until "$@"; do
    [ "$(uptime_seconds)" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

start_agent() { # start_agent FLAGS...: sets $agent; false when it does not get ready
  ready_lines=$(grep -c ' ready ' /tmp/agent.log)
  oombox-agent --state-dir "$agent_dir" --socket /run/agent.sock --node-name guest "$@" \
    2>>/tmp/agent.log &
  agent=$!
  ready_or_gone() { [ "$(grep -c ' ready ' /tmp/agent.log)" -gt "$ready_lines" ] || ! kill -0 "$agent"; }
  wait_until 90 ready_or_gone
  kill -0 "$agent" 2>/dev/null || {
    complain "the agent did not start"
    return 1
  }
}

stop_agent() { # stop_agent NAME: its exit code as a frame
  kill -TERM "$agent"
  wait "$agent"
  frame "$1" echo $?
}

start_collector() { # start_collector FLAGS...: sets $collector
  : >/tmp/collector.log
  oombox-collector --state-dir "$collector_dir" --listen unix:/run/collector.sock "$@" \
    2>>/tmp/collector.log &
  collector=$!
  collector_ready() { grep -q ' ready ' /tmp/collector.log; }
  wait_until 90 collector_ready || complain "the collector did not start"
}

list_local() { oombox --local list --no-group --last 100000 -o jsonl; }

list_collector() { oombox --server unix:/run/collector.sock list --no-group --last 100000 -o jsonl; }

collector_status() { oombox --server unix:/run/collector.sock status -o json; }

# The agent has connected and reported: what the collector lists has no word about a missing node.
collector_complete() { collector_status >/dev/null 2>&1; }

listed() { # listed COUNT: so many events, in /tmp/list
  list_local >/tmp/list 2>>/tmp/errors
  [ "$(grep -c . /tmp/list)" -ge "$1" ]
}

collected() { # collected COUNT: so many events at the collector, in /tmp/collected
  list_collector >/tmp/collected 2>/dev/null
  [ "$(grep -c . /tmp/collected)" -ge "$1" ]
}

newest_id() { sed -n 's/.*"event_id": *"\([^"]*\)".*/\1/p' /tmp/list | head -n 1; }

# Nothing more is to come of it.
newest_is_final() { oombox --local get "$(newest_id)" -o json | grep -q '"final": true'; }

frame_events() { # frame_events head|tail COUNT: the newest or the oldest of /tmp/list, whole
  for id in $(sed -n 's/.*"event_id": *"\([^"]*\)".*/\1/p' /tmp/list | "$1" -n "$2"); do
    frame "event $id" oombox --local get "$id" -o json
  done
}

play() { # play NAME EVENTS-IN-ALL ARGUMENTS...: makes the kills and waits until they are events
  name=$1 count=$2
  shift 2
  memhog "$@" >/tmp/truth 2>>/tmp/errors
  frame "truth $name" cat /tmp/truth
  wait_until 60 listed "$count" || complain "$name: fewer than $count events"
}

# Some at once, then a MiB a step, up to so many; then it waits.
grower='BEGIN { for (i = 0; i < 16 * most; i++) {
    a[i] = sprintf("%65536s", ""); if (i % 16 == 0 && i >= 16 * first) system("sleep " step) }
  system("sleep 1000") }'

grow() { # grow CGROUP MIB [STEP_SECONDS [MIB_AT_ONCE]]: sets $grower_pid
  sh -c 'echo $$ >"/sys/fs/cgroup/$1/cgroup.procs"; exec awk -v most="$2" -v step="$3" -v first="$4" "$5"' \
    sh "$1" "$2" "${3:-0.4}" "${4:-0}" "$grower" &
  grower_pid=$!
}

pressure_of() { # pressure_of CGROUP: its changes of state, in /tmp/pressure
  oombox --local list --kind pressure --cgroup "$1" -o jsonl >/tmp/pressure 2>>/tmp/errors
}

# What the client was told, and what the agent knows.
lacks() { # lacks WHAT
  complain "$1"
  { cat /tmp/watch.log
    grep -c . /tmp/watched
    oombox --local list --kind pressure --last 20
    oombox --local top
    oombox --local status; } >>/tmp/errors 2>&1
}

# One client for all of it: the guest's CPUs are for the agent and for who is watched.
watch_pressure() {
  oombox --local watch --kind pressure -o jsonl >/tmp/watched 2>/tmp/watch.log &
  watch=$!
  watching() { grep -q watching /tmp/watch.log; }
  wait_until 60 watching || lacks "the watch did not begin"
}

has_state() { grep "\"path\": *\"/$1\"" /tmp/watched | grep -q "\"state\": *\"$2\""; } # has_state CGROUP STATE
