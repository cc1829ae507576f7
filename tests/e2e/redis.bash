# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A redis-server of a test's own on a UNIX socket, with the users of `cleartap-keys acl`. Sourced from
# the top of the tree, with $tmp set; redis_stop belongs into what tidies up.

keys=${CLEARTAP_KEYS:-build/keybus/cleartap-keys}
redis_pid=''
tmp=${tmp:?}

redis_is_there() { command -v redis-server >/dev/null && command -v redis-cli >/dev/null; }

# As nobody: default is off. As an administrator that only the test knows.
redis_admin() { # ARGUMENT...
	REDISCLI_AUTH="test" redis-cli -s "$tmp/redis.sock" --user admin --no-auth-warning "$@"
}

redis_start() { # EXTRA-CONFIGURATION
	"$keys" acl "$tmp/shim.password" "$tmp/sensor.password" >"$tmp/acl.conf" || return
	cat >"$tmp/redis.conf" <<-END
		dir $tmp
		port 0
		unixsocket $tmp/redis.sock
		logfile $tmp/redis.log
		include $tmp/acl.conf
		user admin on >test +@all ~* &*
		${1-}
	END
	redis-server "$tmp/redis.conf" >"$tmp/redis.out" 2>&1 &
	redis_pid=$!
	for ((i = 0; i < 200; i++)); do
		[[ $(redis_admin ping 2>/dev/null) == PONG ]] && return
		sleep 0.05
	done
	cat "$tmp/redis.log" "$tmp/redis.out"
	return 1
}

redis_stop() {
	[[ ! $redis_pid ]] || { kill -KILL "$redis_pid" && wait "$redis_pid"; } 2>/dev/null || true
	redis_pid=
}

