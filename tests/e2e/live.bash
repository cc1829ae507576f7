# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the live-* tests share. Sourced from the top of the tree; removes what it made.

cleartap=${CLEARTAP:-build/sensor/cleartap}
PATH=/usr/sbin:/usr/bin:$PATH # wrappers of python3 would take longer than what it does here
tmp=$(mktemp -d)
prefix=$(basename "$tmp")
pids=() run_pid='' pages=''

tidy() {
	local pid

	for pid in "${pids[@]}" $run_pid; do
		{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
	done
	umount "$tmp/huge" 2>/dev/null || true
	[[ ! $pages ]] || echo "$pages" >/proc/sys/vm/nr_hugepages
	rm -rf "$tmp" "/run/dpdk/$prefix" "/run/dpdk/$prefix-"*
}
trap tidy EXIT

skip() { echo "$*"; exit 77; }
fail() { echo "$*"; cat "$tmp"/*.log; exit 1; }

"$cleartap" run 2>&1 --help | grep -q usage || skip 'this build has no DPDK'
((EUID == 0)) || skip 'the EAL needs root'

# Start `cleartap run`, and wait until it does.
run_start() { # ARGUMENT...
	rm -f "$tmp/run.log"
	"$cleartap" run --stats "$tmp/stats.json" "$@" >"$tmp/run.log" 2>&1 &
	run_pid=$!
	for ((i = 0; i < 200; i++)); do
		grep -qs '^cleartap: running' "$tmp/run.log" && return
		kill -0 "$run_pid" 2>/dev/null || fail 'cleartap run ended too soon'
		sleep 0.1
	done
	fail 'cleartap run does not start'
}

# The answer of this run's telemetry, as JSON, or one member of it.
ask() { # COMMAND [NAME]
	python3 - "/run/dpdk/$prefix/dpdk_telemetry.v2" "$@" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.connect(sys.argv[1])
		s.recv(16384)
		s.send(sys.argv[2].encode())
		answer = json.loads(s.recv(65536))[sys.argv[2].split(',')[0]]
		print(answer[sys.argv[3]] if len(sys.argv) > 3 else json.dumps(answer))
	END
}

# Wait until a counter has come so far.
await() { # COUNTER NUMBER [SECONDS]
	local seen end

	for ((end = SECONDS + ${3-60}; SECONDS < end;)); do
		seen=$(ask /cleartap/stats "$1")
		((seen >= $2)) && return
		sleep 0.1
	done
	fail "$1: $seen, not $2"
}

await_file() { # PATH
	for ((i = 0; i < 200; i++)); do
		[[ -e $1 ]] && return
		sleep 0.1
	done
	fail "$1 does not appear"
}

await_link() { # PORT-NAME
	local id

	for id in 0 1; do
		[[ $(ask "/ethdev/info,$id" name) == "$1" ]] || continue
		for ((i = 0; i < 200; i++)); do
			[[ $(ask "/ethdev/link_status,$id" status) == UP ]] && return
			sleep 0.1
		done
	done
	fail "$1 has no link"
}

run_stop() {
	kill -INT "$run_pid"
	wait "$run_pid" || fail "cleartap run: exit status $?"
	run_pid=
}

# Reserve hugepages, if the machine gives some: sets memory=(EAL-ARGUMENT...), and tidy() undoes it.
hugepages() { # MEGABYTES
	local all=/proc/sys/vm/nr_hugepages before

	before=$(cat $all 2>/dev/null) && { echo $((before + $1 / 2)) >$all; } 2>/dev/null || return
	pages=$before
	(($(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo) >= $1 / 2)) || return
	mkdir "$tmp/huge"
	mount -t hugetlbfs -o pagesize=2M cleartap-test "$tmp/huge" 2>/dev/null || return
	# shellcheck disable=SC2034 # the caller uses it
	memory=(--huge-dir "$tmp/huge")
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stat_of() { # FILE NAME...
	python3 - "$@" <<-'END'
		import json, sys
		value = json.load(open(sys.argv[1]))
		for name in sys.argv[2:]:
		    value = value[name]
		print(value)
	END
}
