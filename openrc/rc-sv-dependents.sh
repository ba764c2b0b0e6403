#!/bin/sh
# rc-sv: stops the services that need SERVICE and run, or starts those again that this has stopped.
# Run by rc-sv-supervisor or rc-sv-exec for rc_supervise_propagate=yes: rc-sv-dependents.sh stop|start SERVICE,
# with the file that remembers them in RC_SV_LIST, and --user in RC_SV_USER for a user's. POSIX sh.

# The supervisor has more descriptors than a service is to have.
ulimit -S -n 1024 2>/dev/null

_svcdir=${RC_SVCDIR:-/run/openrc}

# Those that need the service, also through others, each before what it needs.
_dependents()
{
	for _dir in /usr/libexec/rc/bin /lib/rc/bin /usr/lib/rc/bin; do
		if [ -x "$_dir/rc-depend" ]; then
			"$_dir/rc-depend" ${RC_SV_USER:+--user} -o -t needsme "$1"
			return
		fi
	done
	return 1
}

case $1 in
stop)
	_all=$(_dependents "$2") || exit 1
	_stop='' _start=''
	for _other in $_all; do
		if [ "$_other" != "$2" ] && [ -e "$_svcdir/started/$_other" ]; then
			_stop="$_stop $_other"
			_start="$_other $_start"
		fi
	done
	[ -n "$_stop" ] || exit 0
	# Some may not have been started again since the last time.
	[ ! -e "$RC_SV_LIST" ] || read -r _earlier <"$RC_SV_LIST"
	_start="$_start${_earlier-}"
	umask 077
	# Noted before anything is stopped: it is to be started again whatever happens.
	printf '%s\n' "$_start" >"$RC_SV_LIST.new" && mv "$RC_SV_LIST.new" "$RC_SV_LIST" || exit 1
	_rc=0
	for _other in $_stop; do
		rc-service ${RC_SV_USER:+--user} --quiet -- "$_other" stop </dev/null || _rc=1
	done
	exit $_rc
	;;
start)
	[ -e "$RC_SV_LIST" ] || exit 0
	read -r _start <"$RC_SV_LIST"
	_rc=0
	# Nobody starts the service itself here. Stopped or given up meanwhile, it has them when it
	# comes back.
	for _other in $_start; do
		[ -e "$_svcdir/started/$2" ] || [ -e "$_svcdir/starting/$2" ] || exit 0
		rc-service ${RC_SV_USER:+--user} --quiet -- "$_other" --nodeps start </dev/null || _rc=1
	done
	rm -f "$RC_SV_LIST"
	exit $_rc
	;;
esac
echo >&2 "usage: rc-sv-dependents.sh stop|start SERVICE"
exit 2
