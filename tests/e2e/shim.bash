# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120
# What the shim-* tests share: a Redis, the sensor's side of the key bus, a server under the shim.
# Sourced from the top of the tree; removes what it made.

build=${BUILD:-build}
shim=$(realpath "$build/shim/libcleartap-shim.so")
tmp=$(mktemp -d)
pids=() redis_pid='' sensor_pid='' server_pid=''

stop() { # PID...
	local pid

	for pid; do
		[[ $pid ]] || continue
		{ kill -CONT "$pid" && kill "$pid" && wait "$pid"; } 2>/dev/null || true
	done
}

tidy() {
	stop "$server_pid" "$sensor_pid" "${pids[@]}" "$redis_pid"
	rm -rf "$tmp"
}
trap tidy EXIT

skip() { echo "$*"; exit 77; }
fail() { echo "$*"; tail -n 20 "$tmp"/*.log; exit 1; }

need() { # PROGRAM...
	local program

	for program; do
		command -v "$program" >/dev/null || skip "no $program"
	done
}

need redis-server python3 openssl
chmod 755 "$tmp" # servers change their user
touch "$tmp/debug.log"
chmod 666 "$tmp/debug.log"
# An ASan build of the shim wants its runtime to be there first.
preload=$shim
if nm -D "$shim" | grep -q __asan_init; then
	preload="$(gcc -print-file-name=libasan.so) $shim"
	export ASAN_OPTIONS=detect_leaks=0:handle_segv=0
fi

await() { # WHAT COMMAND...: until the command succeeds
	local what=$1

	shift
	for ((i = 0; i < 300; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	fail "$what does not come"
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

redis_start() { # ARGUMENT...
	redis-server --port 0 --unixsocket "$tmp/redis" --unixsocketperm 777 --save '' "$@" \
		>"$tmp/redis.log" 2>&1 &
	redis_pid=$!
	await Redis test -S "$tmp/redis"
}

redis_stop() {
	stop "$redis_pid"
	redis_pid=''
	rm -f "$tmp/redis"
}

sensor_start() { # [PASSWORD]
	rm -f "$tmp/keys.ready"
	python3 tests/e2e/acknowledge.py "$tmp/redis" "$tmp/keys" "$@" >"$tmp/sensor.log" 2>&1 &
	sensor_pid=$!
	await 'the sensor' test -e "$tmp/keys.ready"
}

sensor_stop() {
	stop "$sensor_pid"
	sensor_pid=''
}

certificate() { # KEY-ALGORITHM
	openssl req -x509 -newkey "$1" -nodes -keyout "$tmp/key" -out "$tmp/cert" -days 2 \
		-subj /CN=shim.example >"$tmp/cert.log" 2>&1
	cat "$tmp/key" "$tmp/cert" >"$tmp/pem"
	chmod 644 "$tmp/key" "$tmp/pem"
}

# shellcheck disable=SC2034 # used by who sources this
# "${under[@]}" [NAME=VALUE]... COMMAND...: with the guest in it. The hold is long: no verdict is a
# matter of time.
under=(env CLEARTAP_REDIS="unix:$tmp/redis" CLEARTAP_HOLD_MS=10000 CLEARTAP_DEBUG="$tmp/debug.log"
	LD_PRELOAD="$preload")

# Every secret in a client's key log is in what the sensor got.
complete() { # KEYLOG NUMBER-OF-LINES-AT-LEAST
	grep -E '^(CLIENT_RANDOM|[A-Z_]*TRAFFIC_SECRET(_0)?) ' "$1" | sort -u >"$tmp/want"
	[[ $(wc -l <"$tmp/want") -ge $2 ]] || fail "$1: $(wc -l <"$tmp/want") secrets, not $2"
	grep -v '^#' "$tmp/keys" | sort -u >"$tmp/got"
	[[ ! $(comm -23 "$tmp/want" "$tmp/got") ]] ||
		fail "$1: $(comm -23 "$tmp/want" "$tmp/got" | wc -l) secrets did not arrive"
}

# The sum of a counter over all processes that have ended.
counted() { # NAME
	sed -n "s/.*counts:.* $1=\([0-9]*\).*/\1/p" "$tmp/debug.log" | awk '{ n += $1 } END { print n + 0 }'
}

listening() { # PORT
	python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))"
}

# Start a server on $port, in $tmp/www. Some end their whole process group (Apache): it gets one.
serve() { # NAME COMMAND...
	local name=$1

	shift
	(cd "$tmp/www" && exec setsid "$@" >"$tmp/$name.log" 2>&1 </dev/null) &
	server_pid=$!
	await "$name" listening "$port"
}

serve_stop() {
	stop "$server_pid"
	server_pid=''
}

# Ten resumed handshakes of each version with the server on $port, which then ends.
http() { # NAME
	local version said

	for version in 2 3; do
		said=$(python3 tests/e2e/handshakes.py "$port" 1.$version 10 resumed "$tmp/$1-$version.keys") ||
			fail "$1, TLS 1.$version: $said"
		complete "$tmp/$1-$version.keys" $((version == 2 ? 10 : 40))
	done
	serve_stop
}
