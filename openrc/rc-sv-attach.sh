# rc-sv: services that start themselves and are watched by a module. POSIX sh plus
# local; sourced by rc-sv.sh.

# At the very end of a start, after start_post: from here on the module watches.
# Either the service is up and watched then, or it is down and the start failed.
_rcsv_attach()
{
	local _rcsv_said _rcsv_rc

	_rcsv_said=$({ _rcsv_run_attach; } 2>&1)
	_rcsv_rc=$?
	if [ $_rcsv_rc -eq 0 ] && ! service_set_value rcsv_attached "$rc_supervise_module"; then
		# Unrecorded it would be watched while it is stopped.
		"$_rcsv_loader" detach "$RC_SVCNAME"
		_rcsv_said="cannot write $RC_SVCDIR/options/$RC_SVCNAME/rcsv_attached"
		_rcsv_rc=1
	fi
	case $_rcsv_rc in
		0) _rcsv_lines ewarn ewarn "$_rcsv_said" ;;
		$_rcsv_delegates) _rcsv_left_alone ;;
		*)
			_rcsv_lines eerror eerror "$_rcsv_said"
			eerror "$RC_SVCNAME: module $rc_supervise_module does not watch it: stopping it again"
			_rcsv_roll_back && exit 1
			eerror "$RC_SVCNAME: runs on, and module $rc_supervise_module does not watch it"
			;;
	esac
}

# The arguments are those with which OpenRC has started it; of what a start() of
# the script has done, nothing is known.
_rcsv_run_attach()
{
	local _rcsv_further="$command_args_background"

	case "$rc_supervise_module:${rc_monit_type:-simple}:$supervisor" in
		monit:simple:supervise-daemon|monit:simple:s6|monit:simple:runit)
			echo "supervisor=$supervisor and monit would both respawn it: unset supervisor," \
				"or set rc_monit_type=native" >&2
			return 1 ;;
	esac
	case "$supervisor" in
		supervise-daemon|s6|runit) _rcsv_further=$command_args_foreground ;;
	esac
	if _rcsv_has_own_start; then
		command=
		command_args=
		_rcsv_further=
	fi
	_rcsv_run attach "$_rcsv_further"
}

# At a stop it is known from the start.
_rcsv_has_own_start()
{
	if [ -n "$_rcsv_let_go" ]; then
		[ -n "$(service_get_value rcsv_own_start)" ]
	elif [ -n "$_rcsv_by_openrc" ]; then
		false
	else
		service_set_value rcsv_own_start yes
	fi
}

# Stops the service as OpenRC would. Each function has a shell of its own, which
# is all that it ends with exit.
_rcsv_roll_back()
{
	local _rcsv_step

	for _rcsv_step in stop_pre stop stop_post; do
		[ "$(command -v "$_rcsv_step")" = "$_rcsv_step" ] || continue
		( "$_rcsv_step" ) || return 1
	done
}

# The service has a module, started well, and the module cannot watch.
_rcsv_left_alone()
{
	if [ -n "$command" ]; then
		ewarn "$RC_SVCNAME: has a start() of its own: module $rc_supervise_module cannot supervise it"
	elif [ "$rc_supervise_module" != "$_rcsv_global" ]; then
		ewarn "$RC_SVCNAME: has no command: there is nothing for module $rc_supervise_module to supervise"
	fi
}

# Before anything of a stop, so that nobody starts the service behind its back.
_rcsv_detach()
{
	local _rcsv_said _rcsv_rc

	_rcsv_said=$("$_rcsv_loader" detach "$RC_SVCNAME" 2>&1)
	_rcsv_rc=$?
	if [ $_rcsv_rc -eq 0 ]; then
		_rcsv_lines ewarn ewarn "$_rcsv_said"
		service_set_value rcsv_attached ""
		return 0
	fi
	_rcsv_lines eerror eerror "$_rcsv_said"
	eerror "$RC_SVCNAME: its module does not let it go: it is not stopped"
	return 1
}

# OpenRC's own stop, after that. One that has died meanwhile is stopped: OpenRC
# would call that a failure, and nobody could stop what dies again and again.
_rcsv_stop_let_go()
{
	local _rcsv_pidfile _rcsv_pid=

	_rcsv_pidfile=$(service_get_value pidfile)
	_rcsv_pidfile=${_rcsv_pidfile:-$pidfile}
	[ ! -r "$_rcsv_pidfile" ] || read -r _rcsv_pid <"$_rcsv_pidfile"
	if [ -z "$_rcsv_pidfile" ] || { [ -n "$_rcsv_pid" ] && kill -0 "$_rcsv_pid" 2>/dev/null; }; then
		_rcsv_stock stop
	else
		ebegin "Stopping ${name:-$RC_SVCNAME}"
		rm -f "$_rcsv_pidfile"
		eend $?
	fi
}

# After a stop that failed: the service runs on.
_rcsv_attach_again()
{
	local _rcsv_said

	if _rcsv_said=$({ _rcsv_run_attach; } 2>&1); then
		service_set_value rcsv_attached "$rc_supervise_module"
		return 0
	fi
	_rcsv_lines eerror eerror "$_rcsv_said"
	eerror "$RC_SVCNAME: runs on, and module $rc_supervise_module does not watch it any more"
}
